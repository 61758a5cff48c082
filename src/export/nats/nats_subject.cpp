// SPDX-License-Identifier: Apache-2.0
#include "nats_subject.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

namespace tapio::nats {

namespace {

std::string_view all_or(std::string_view one) {
  return one == "*" ? "all" : one;
}

struct Parts {
  std::string_view observer, event_class, name;
};

Parts parts_of(const Record& record) {
  const auto event_class = name(record.origin.event_class);
  const auto whole = record.schema->name;
  switch (record.schema->kind) {
    case Kind::story:
      return {"stories", event_class, text_of(record, "rule")};
    case Kind::gap:
      return {all_or(text_of(record, "observer")), all_or(text_of(record, "class")),
              text_of(record, "reason")};
    case Kind::event:
    case Kind::metric:
    case Kind::finding:
      break;
  }
  const auto dot = whole.find('.');
  return {whole.substr(0, dot), event_class, dot == whole.npos ? whole : whole.substr(dot + 1)};
}

}  // namespace

char as_token(char c) {
  const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                     c == '_' || c == '-';
  if (plain) return c;
  return c == '.' ? '-' : '_';
}

void append_token(std::string& out, std::string_view text) {
  if (text.empty()) text = "_";
  std::ranges::transform(text.substr(0, kMaxToken), std::back_inserter(out), as_token);
}

void append_subject(std::string& out, std::string_view begin, const Record& record) {
  const auto [observer, event_class, what] = parts_of(record);
  out += begin;
  append_token(out, observer);
  out += '.';
  append_token(out, event_class);
  out.append(1, '.').append(name(record.schema->kind)) += '.';
  append_token(out, what);
}

void append_message_id(std::string& out, std::string_view node, const Record& record) {
  out.append(node).append(1, '/').append(record.id.text());
  const Value* revision =
      record.schema->kind == Kind::story ? value_of(record, "revision") : nullptr;
  const auto* number = revision ? std::get_if<std::uint64_t>(revision) : nullptr;
  if (number && *number > 1) fmt::format_to(std::back_inserter(out), "/{}", *number);
}

}  // namespace tapio::nats
