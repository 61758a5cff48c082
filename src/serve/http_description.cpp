// SPDX-License-Identifier: Apache-2.0
// What the site says of itself: OpenAPI and schemas.
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include "serve/http_site.hpp"
#include "version.hpp"

namespace tapio::serve {

namespace {

using Writer = rapidjson::Writer<rapidjson::StringBuffer>;

void key(Writer& json, std::string_view name) {
  json.Key(name.data(), static_cast<unsigned>(name.size()));
}

void text(Writer& json, std::string_view value) {
  json.String(value.data(), static_cast<unsigned>(value.size()));
}

void text(Writer& json, std::string_view name, std::string_view value) {
  key(json, name);
  text(json, value);
}

void begin(Writer& json, std::string_view name) {
  key(json, name);
  json.StartObject();
}

void parameter(Writer& json, std::string_view name, std::string_view in, std::string_view type,
               std::string_view help) {
  json.StartObject();
  text(json, "name", name);
  text(json, "in", in);
  text(json, "description", help);
  key(json, "required");
  json.Bool(in == "path");
  begin(json, "schema");
  text(json, "type", type);
  json.EndObject();
  json.EndObject();
}

void parameters(Writer& json, const Route& route) {
  key(json, "parameters");
  json.StartArray();
  for (const ParameterInfo& info : kParameters)
    if (route.parameters.has(info.parameter))
      parameter(json, info.name, "query", info.type, info.help);
  if (route.path.contains("{id}"))
    parameter(json, "id", "path", "string", "As in the field `id`: 673e9a10.42.");
  if (!route.answer)
    parameter(json, "Last-Event-ID", "header", "string", "The record to go on behind.");
  json.EndArray();
}

void response(Writer& json, std::string_view status, std::string_view help, std::string_view type) {
  begin(json, status);
  text(json, "description", help);
  begin(json, "content");
  begin(json, type);
  json.EndObject();
  json.EndObject();
  json.EndObject();
}

void operation(Writer& json, const Route& route) {
  begin(json, route.path);
  begin(json, "get");
  text(json, "operationId", route.name);
  text(json, "summary", route.summary);
  parameters(json, route);
  begin(json, "responses");
  response(json, "200", "The answer.", route.type);
  response(json, "default", R"(Why not: {"error": a sentence, "fault": a word}.)",
           "application/json");
  json.EndObject();
  key(json, "security");
  json.StartArray();
  if (!route.open) {
    json.StartObject();
    key(json, "token");
    json.StartArray();
    json.EndArray();
    json.EndObject();
  }
  json.EndArray();
  json.EndObject();
  json.EndObject();
}

void field(Writer& json, const Field& field) {
  json.StartObject();
  text(json, "name", field.name);
  text(json, "type", name(field.type));
  text(json, "help", field.help);
  text(json, "column", field.column);
  text(json, "unit", field.unit);
  json.EndObject();
}

void schema(Writer& json, const Schema& schema) {
  json.StartObject();
  text(json, "name", schema.name);
  text(json, "type", name(schema.kind));
  text(json, "help", schema.help);
  key(json, "fields");
  json.StartArray();
  for (const Field& one : schema.fields) field(json, one);
  json.EndArray();
  json.EndObject();
}

}  // namespace

std::string openapi_json() {
  rapidjson::StringBuffer buffer;
  Writer json(buffer);
  json.StartObject();
  text(json, "openapi", "3.0.3");
  begin(json, "info");
  text(json, "title", "Tapio");
  text(json, "version", kVersion);
  json.EndObject();
  begin(json, "components");
  begin(json, "securitySchemes");
  begin(json, "token");
  text(json, "type", "http");
  text(json, "scheme", "bearer");
  json.EndObject();
  json.EndObject();
  json.EndObject();
  begin(json, "paths");
  for (const Route& route : routes()) operation(json, route);
  json.EndObject();
  json.EndObject();
  return {buffer.GetString(), buffer.GetSize()};
}

std::string schemas_json(std::span<const Schema* const> schemas) {
  rapidjson::StringBuffer buffer;
  Writer json(buffer);
  json.StartObject();
  key(json, "common");
  json.StartArray();
  for (const auto name : kKeysOfAll) text(json, name);
  for (const auto name : kKeysOfWho) text(json, name);
  json.EndArray();
  key(json, "schemas");
  json.StartArray();
  for (const Schema* one : schemas) schema(json, *one);
  json.EndArray();
  json.EndObject();
  return {buffer.GetString(), buffer.GetSize()};
}

}  // namespace tapio::serve
