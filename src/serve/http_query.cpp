// SPDX-License-Identifier: Apache-2.0
#include "serve/http_query.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "base/settings.hpp"
#include "record/record_id.hpp"
#include "serve/request.hpp"

namespace tapio::serve {

namespace {

constexpr std::array kKinds = {Kind::event, Kind::metric, Kind::finding, Kind::story, Kind::gap};

Status read_limit(Query& query, std::string_view value) {
  std::size_t limit = 0;
  const char* end = value.data() + value.size();
  const auto [rest, wrong] = std::from_chars(value.data(), end, limit);
  if (wrong != std::errc() || rest != end || limit < 1 || limit > Query::kMaxLimit)
    return invalid(fmt::format("limit wants a number from 1 to {}", Query::kMaxLimit));
  query.limit = limit;
  return {};
}

Status read_cursor(Query& query, std::string_view value) {
  query.cursor = parse_record_id(value);
  if (!query.cursor) return invalid("cursor wants what `next` of an answer had");
  return {};
}

Status read_since(Query& query, std::string_view value) {
  auto since = parse_duration(value);
  if (!since) return std::unexpected(std::move(since).error().within("since"));
  query.since = *since;
  return {};
}

Status add_name(Query& query, std::string_view value) {
  if (query.names.size() >= kMaxNames)
    return invalid(fmt::format("more than {} names, ask for all", kMaxNames));
  query.names.emplace_back(value);
  return {};
}

Status add_type(Query& query, std::string_view value) {
  const auto kind = std::ranges::find(kKinds, value, [](Kind k) { return tapio::name(k); });
  if (kind == kKinds.end()) return invalid("type wants event, metric, finding, story or gap");
  if (std::ranges::find(query.types, *kind) == query.types.end()) query.types.push_back(*kind);
  return {};
}

Status read_list(Query& query, std::string_view value, Status (*add)(Query&, std::string_view)) {
  while (true) {
    const auto comma = value.find(',');
    TRY(add(query, value.substr(0, comma)));
    if (comma == std::string_view::npos) return {};
    value.remove_prefix(comma + 1);
  }
}

}  // namespace

bool Query::wants(const Schema& schema) const {
  return (names.empty() || std::ranges::find(names, schema.name) != names.end()) &&
         (types.empty() || std::ranges::find(types, schema.kind) != types.end());
}

// One that we do not know may be a filter: ignoring it would give more than was asked for.
Status read_parameter(Query& query, ParameterSet allowed, std::string_view key,
                      std::string_view value) {
  const auto known = std::ranges::find(kParameters, key, &ParameterInfo::name);
  if (known == kParameters.end() || !allowed.has(known->parameter))
    return invalid(fmt::format("unknown parameter {}; /api/v1/openapi.json has those there are",
                               config::shown(key)));
  switch (known->parameter) {
    case Parameter::limit:
      return read_limit(query, value);
    case Parameter::cursor:
      return read_cursor(query, value);
    case Parameter::since:
      return read_since(query, value);
    case Parameter::name:
      return read_list(query, value, add_name);
    case Parameter::type:
      return read_list(query, value, add_type);
  }
  return {};
}

}  // namespace tapio::serve
