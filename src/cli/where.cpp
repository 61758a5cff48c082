// SPDX-License-Identifier: Apache-2.0
#include "cli/where.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/settings.hpp"

namespace tapio::cli {

namespace {

constexpr std::size_t kCommonKeys = 9;
using CommonValues = std::array<std::pair<std::string_view, Value>, kCommonKeys>;

Value known(std::uint64_t number) {
  return number ? Value(number) : Value();
}
Value known(std::string_view text) {
  return text.empty() ? Value() : Value(text);
}

// As record/json.cpp writes them.
CommonValues common_values(const Record& record) {
  static constexpr Context kNobody{};
  const Origin& origin = record.origin;
  const Context& context = record.context ? *record.context : kNobody;
  return {{{"name", record.schema->name},
           {"process.pid", known(std::uint64_t{origin.pid})},
           {"thread.id", known(std::uint64_t{origin.tid})},
           {"process.parent_pid", known(std::uint64_t{context.parent_pid})},
           {"process.executable.name", known(context.process_name)},
           {"process.executable.path", known(context.executable)},
           {"tapio.process.id", known(context.process_id)},
           {"tapio.cgroup.id", known(origin.cgroup_id)},
           {"tapio.class", name(origin.event_class)}}};
}

bool is_called(std::string_view field, std::string_view key) {
  if (!field.ends_with(key)) return false;
  return field.size() == key.size() || field[field.size() - key.size() - 1] == '.';
}

bool declares(const Schema& schema, std::string_view field) {
  return std::ranges::find(schema.fields, field, &Field::name) != schema.fields.end();
}

struct IsOneOf {
  std::span<const std::string> wanted;

  bool text(std::string_view text) const { return std::ranges::find(wanted, text) != wanted.end(); }
  bool operator()(std::monostate) const { return false; }
  bool operator()(bool v) const { return text(v ? "true" : "false"); }
  bool operator()(std::chrono::nanoseconds v) const {
    return text(fmt::format("{}", std::chrono::duration<double>(v).count()));
  }
  bool operator()(std::string_view v) const { return text(v); }
  bool operator()(std::span<const std::string_view> v) const {
    return std::ranges::any_of(v, [this](auto each) { return text(each); });
  }
  bool operator()(auto v) const { return text(fmt::format("{}", v)); }
};

bool matches(const Record& record, const Where& where) {
  const Schema& schema = *record.schema;
  const IsOneOf is_wanted{where.values};
  for (std::size_t i = 0; i < schema.fields.size(); ++i)
    if (is_called(schema.fields[i].name, where.key) && std::visit(is_wanted, record.values[i]))
      return true;
  return std::ranges::any_of(common_values(record), [&](const auto& common) {
    return is_called(common.first, where.key) && !declares(schema, common.first) &&
           std::visit(is_wanted, common.second);
  });
}

}  // namespace

Result<Where> parse_where(std::string_view text) {
  const auto sign = text.find('=');
  if (sign == 0 || sign == std::string_view::npos)
    return invalid(fmt::format("--where wants KEY=VALUE, not {}", config::shown(text)));
  Where where{.key = std::string(text.substr(0, sign)), .values = {}};
  for (auto rest = text.substr(sign + 1);; rest.remove_prefix(rest.find(',') + 1)) {
    where.values.emplace_back(rest.substr(0, rest.find(',')));
    if (!rest.contains(',')) return where;
  }
}

bool matches(const Record& record, std::span<const Where> where) {
  return std::ranges::all_of(where, [&](const Where& each) { return matches(record, each); });
}

bool may_have(const Schema& schema, std::string_view key) {
  const auto is_it = [key](std::string_view name) { return is_called(name, key); };
  if (std::ranges::any_of(schema.fields, is_it, &Field::name)) return true;
  const Record none{.schema = &schema};
  return std::ranges::any_of(common_values(none), is_it, &CommonValues::value_type::first);
}

}  // namespace tapio::cli
