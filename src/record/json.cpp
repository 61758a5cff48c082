// SPDX-License-Identifier: Apache-2.0
#include "record/json.hpp"

#include <charconv>
#include <cmath>

#include "base/text.hpp"
#include "record/who.hpp"

namespace tapio {

namespace {

constexpr std::uint64_t kNsPerSecond = 1'000'000'000;

void append_number(std::string& out, auto number) {
  std::array<char, 32> digits;  // the longest double takes 24
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr;
  out.append(digits.data(), end);
}

// Seconds with as many decimals as it takes, from the integer: a double would round after 104 days.
void append_seconds(std::string& out, std::chrono::nanoseconds duration) {
  const std::int64_t count = duration.count();
  auto ns = static_cast<std::uint64_t>(count);
  if (count < 0) {
    out += '-';
    ns = 0 - ns;
  }
  append_number(out, ns / kNsPerSecond);
  std::uint64_t rest = ns % kNsPerSecond;
  if (rest == 0) return;
  std::array<char, 10> decimals;
  decimals[0] = '.';
  for (std::size_t i = decimals.size(); --i > 0; rest /= 10)
    decimals[i] = static_cast<char>('0' + rest % 10);
  std::string_view text(decimals.data(), decimals.size());
  while (text.back() == '0') text.remove_suffix(1);
  out.append(text);
}

void append_time(std::string& out, MonotonicTime time, const Clocks& clocks) {
  out += '"';
  append_rfc3339(out, wall_time(time, clocks));
  out += '"';
}

struct AppendValue {
  std::string& out;
  Type type;
  const Clocks& clocks;

  void operator()(std::monostate) const { out += "null"; }
  void operator()(bool v) const { out += v ? "true" : "false"; }
  void operator()(std::int64_t v) const { append_number(out, v); }
  void operator()(std::uint64_t v) const { append_number(out, v); }
  void operator()(double v) const {
    if (std::isfinite(v))
      append_number(out, v);
    else
      out += "null";
  }
  void operator()(std::chrono::nanoseconds v) const {
    if (type == Type::time)
      append_time(out, v, clocks);
    else
      append_seconds(out, v);
  }
  void operator()(std::string_view v) const { append_json_string(out, v); }
  void operator()(std::span<const std::string_view> v) const {
    char before = '[';
    for (const std::string_view text : v) {
      out += before;
      append_json_string(out, text);
      before = ',';
    }
    out += v.empty() ? "[]" : "]";
  }
};

void append_who(std::string& out, const Record& record) {
  visit_who(record, [&](std::string_view key, auto value) {
    out.append(",\"").append(key).append("\":");
    if constexpr (std::same_as<decltype(value), std::string_view>)
      append_json_string(out, value);
    else if constexpr (std::same_as<decltype(value), bool>)
      out += "true";
    else
      append_number(out, value);
  });
}

void append_id(std::string& out, const RecordId& id) {
  std::array<char, 8> hex;
  for (std::size_t i = 0; i < hex.size(); ++i)
    hex[i] = "0123456789abcdef"[id.run >> (4 * (hex.size() - 1 - i)) & 0xF];
  out.append(hex.data(), hex.size()) += '.';
  append_number(out, id.number);
}

}  // namespace

void append_json(std::string& out, const Record& record, const Clocks& clocks) {
  const Schema& schema = *record.schema;
  out.append(R"({"type":")").append(name(schema.kind)).append(R"(","name":")");
  out.append(schema.name).append(R"(","time":)");
  append_time(out, record.origin.time, clocks);
  out += R"(,"id":")";
  append_id(out, record.id);
  out += '"';
  append_who(out, record);
  for (std::size_t i = 0; i < schema.fields.size(); ++i) {
    if (std::holds_alternative<std::monostate>(record.values[i])) continue;
    out.append(",\"").append(schema.fields[i].name).append("\":");
    std::visit(AppendValue{out, schema.fields[i].type, clocks}, record.values[i]);
  }
  out += '}';
}

}  // namespace tapio
