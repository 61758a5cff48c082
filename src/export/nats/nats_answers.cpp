// SPDX-License-Identifier: Apache-2.0
#include "nats_answers.hpp"

#include <rapidjson/document.h>

namespace tapio::nats {

namespace {

// Iterative: however deep it is, it does not end our stack.
constexpr unsigned kHow = rapidjson::kParseIterativeFlag | rapidjson::kParseValidateEncodingFlag;

Result<rapidjson::Document> parse(std::string_view text) {
  rapidjson::Document document;
  document.Parse<kHow>(text.data(), text.size());
  if (document.HasParseError() || !document.IsObject())
    return fail(Fault::unavailable, "the server sent something else than JSON");
  return document;
}

// nullptr: it is not there.
const rapidjson::Value* member(const rapidjson::Value& object, const char* key) {
  const auto found = object.FindMember(key);
  return found == object.MemberEnd() ? nullptr : &found->value;
}

bool truth(const rapidjson::Value& object, const char* key) {
  const auto* value = member(object, key);
  return value && value->IsTrue();
}

std::int64_t number(const rapidjson::Value& object, const char* key) {
  const auto* value = member(object, key);
  return value && value->IsInt64() ? value->GetInt64() : 0;
}

std::string text_of(const rapidjson::Value& object, const char* key) {
  const auto* value = member(object, key);
  if (!value || !value->IsString()) return {};
  return {value->GetString(), value->GetStringLength()};
}

}  // namespace

Result<ServerInfo> parse_info(std::string_view text) {
  const auto document = TRY(parse(text));
  const auto max_payload = number(document, "max_payload");
  return ServerInfo{.headers = truth(document, "headers"),
                    .tls_required = truth(document, "tls_required"),
                    .tls_available = truth(document, "tls_available"),
                    .max_payload = max_payload > 0 ? static_cast<std::size_t>(max_payload) : 0,
                    .nonce = text_of(document, "nonce")};
}

Result<Answer> parse_answer(std::string_view text) {
  const auto document = TRY(parse(text));
  const auto* error = member(document, "error");
  if (!error) return Answer{.done = true, .duplicate = truth(document, "duplicate")};
  if (!error->IsObject()) return Answer{.description = "an error without words"};
  return Answer{.error = number(*error, "err_code"), .description = text_of(*error, "description")};
}

}  // namespace tapio::nats
