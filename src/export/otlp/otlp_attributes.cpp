// SPDX-License-Identifier: Apache-2.0
#include "otlp_attributes.hpp"

#include <fmt/format.h>

#include <limits>

#include "base/text.hpp"
#include "record/who.hpp"

namespace tapio::otlp {

namespace {

wire::AnyValue& value_for(Attributes& out, std::string_view key) {
  wire::KeyValue& attribute = *out.Add();
  attribute.set_key(key.data(), key.size());
  return *attribute.mutable_value();
}

void set_number(wire::AnyValue& out, std::uint64_t number) {
  constexpr auto kMost = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
  if (number <= kMost)
    out.set_int_value(static_cast<std::int64_t>(number));
  else
    out.set_string_value(fmt::to_string(number));
}

struct SetValue {
  wire::AnyValue& out;
  Type type;
  const Clocks& clocks;

  void operator()(std::monostate) const {}
  void operator()(bool v) const { out.set_bool_value(v); }
  void operator()(std::int64_t v) const { out.set_int_value(v); }
  void operator()(std::uint64_t v) const { set_number(out, v); }
  void operator()(double v) const { out.set_double_value(v); }
  void operator()(std::chrono::nanoseconds v) const {
    if (type == Type::time)
      out.set_string_value(rfc3339(wall_time(v, clocks)));
    else
      out.set_double_value(std::chrono::duration<double>(v).count());
  }
  void operator()(std::string_view v) const { set_value(out, v); }
  void operator()(std::span<const std::string_view> v) const {
    wire::ArrayValue& array = *out.mutable_array_value();
    for (const std::string_view text : v) set_value(*array.add_values(), text);
  }
};

void add_field(Attributes& out, const Record& record, std::size_t index, const Clocks& clocks) {
  const Field& field = record.schema->fields[index];
  const Value& value = record.values[index];
  if (std::holds_alternative<std::monostate>(value)) return;
  set_value(value_for(out, key_of(*record.schema, field)), value, field.type, clocks);
}

}  // namespace

std::string key_of(const Schema& schema, const Field& field) {
  if (field.name.contains('.')) return std::string(field.name);
  return fmt::format("tapio.{}.{}", name(schema.kind), field.name);
}

void set_value(wire::AnyValue& out, std::string_view text) {
  out.set_string_value(utf8(text));
}

void set_value(wire::AnyValue& out, const Value& value, Type type, const Clocks& clocks) {
  std::visit(SetValue{out, type, clocks}, value);
}

void add_attribute(Attributes& out, std::string_view key, std::string_view text) {
  set_value(value_for(out, key), text);
}

void add_attributes(Attributes& out, const Record& record, const Clocks& clocks) {
  add_attribute(out, kRecordId, record.id.text());
  visit_who(record, [&](std::string_view key, auto value) {
    wire::AnyValue& to = value_for(out, key);
    if constexpr (std::same_as<decltype(value), std::string_view>)
      set_value(to, value);
    else if constexpr (std::same_as<decltype(value), bool>)
      to.set_bool_value(value);
    else
      set_number(to, value);
  });
  for (std::size_t i = 0; i < record.schema->fields.size(); ++i) add_field(out, record, i, clocks);
}

void add_labels(Attributes& out, const Record& record, const Clocks& clocks) {
  for (std::size_t i = 0; i < record.schema->fields.size(); ++i) {
    const Field& field = record.schema->fields[i];
    if (field.unit.empty() && field.type != Type::texts) add_field(out, record, i, clocks);
  }
  if (record.context && !record.context->place.container_id.empty())
    add_attribute(out, kKeysOfWho[static_cast<std::size_t>(Who::container_id)],
                  record.context->place.container_id);
}

}  // namespace tapio::otlp
