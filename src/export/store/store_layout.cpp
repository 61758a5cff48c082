// SPDX-License-Identifier: Apache-2.0
#include "store_layout.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>

namespace tapio::store {

namespace {

// Keys that a record may have beside the fields of its schema, see record/json.hpp.
constexpr std::array<std::string_view, 16> kCommonKeys = {"process.pid",
                                                          "thread.id",
                                                          "process.parent_pid",
                                                          "process.executable.name",
                                                          "process.executable.path",
                                                          "tapio.process.id",
                                                          "container.id",
                                                          "container.runtime.name",
                                                          "k8s.pod.uid",
                                                          "container.name",
                                                          "container.image.name",
                                                          "k8s.pod.name",
                                                          "k8s.namespace.name",
                                                          "systemd.unit",
                                                          "tapio.cgroup.id",
                                                          "tapio.class"};

std::string literal(std::string_view text) {
  std::string out = "'";
  for (const char c : text) out.append(c == '\'' ? 2 : 1, c);
  return out + "'";
}

void append_column(std::string& out, std::string_view key) {
  fmt::format_to(std::back_inserter(out), ", json_extract(body, {}) AS {}",
                 literal(fmt::format("$.\"{}\"", key)), quoted(key));
}

}  // namespace

std::string quoted(std::string_view name) {
  std::string out = "\"";
  for (const char c : name) out.append(c == '"' ? 2 : 1, c);
  return out + "\"";
}

std::string view_of(const Schema& schema) {
  std::string out = fmt::format("CREATE VIEW {} AS SELECT id, time, time_ns", quoted(schema.name));
  for (const std::string_view key : kCommonKeys)
    if (std::ranges::find(schema.fields, key, &Field::name) == schema.fields.end())
      append_column(out, key);
  for (const Field& field : schema.fields) append_column(out, field.name);
  fmt::format_to(std::back_inserter(out), " FROM records WHERE name = {}", literal(schema.name));
  return out;
}

std::string member_text(std::string_view body, std::string_view key) {
  const std::string begin = fmt::format("\"{}\":\"", key);
  const auto at = body.find(begin);
  if (at == std::string_view::npos) return {};
  std::string out;
  for (std::size_t i = at + begin.size(); i < body.size() && body[i] != '"'; ++i) {
    // Names of units have backslashes: "dev-disk-by\x2dlabel.device". Other escapes stay.
    const bool escaped =
        body[i] == '\\' && i + 1 < body.size() && (body[i + 1] == '\\' || body[i + 1] == '"');
    if (escaped) ++i;
    out += body[i];
  }
  return out;
}

}  // namespace tapio::store
