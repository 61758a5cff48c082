// SPDX-License-Identifier: Apache-2.0
#include "serve/metric_records.hpp"

#include <fmt/format.h>

namespace tapio::serve {

namespace {

std::string_view suffix_of(std::string_view unit) {
  if (unit == "By") return "_bytes";
  if (unit == "s") return "_seconds";
  return "";
}

// `name` as metric_name() made it.
std::string name_of(std::string_view name, const Field& field) {
  if (is_count(field))
    return fmt::format("tapio_{}_total", metric_word(name.substr(0, name.rfind('.'))));
  return fmt::format("tapio_{}{}", metric_word(name), suffix_of(field.unit));
}

std::string help_of(const Schema& schema, const Field& field) {
  return is_count(field) ? std::string(schema.help) : fmt::format("{} {}", schema.help, field.help);
}

void append_label_of(std::string& labels, const Field& field, const Value& value) {
  const auto name = metric_word(field.name);
  if (const auto* text = std::get_if<std::string_view>(&value)) append_label(labels, name, *text);
  if (const auto* truth = std::get_if<bool>(&value))
    append_label(labels, name, *truth ? "true" : "false");
  if (const auto number = number_of(value)) append_label(labels, name, fmt::format("{}", *number));
}

std::string labels_of(const Record& record) {
  std::string labels;
  for (std::size_t i = 0; i < record.schema->fields.size(); ++i)
    if (const Field& field = record.schema->fields[i]; field.unit.empty())
      append_label_of(labels, field, record.values[i]);
  if (record.context && !record.context->place.container_id.empty())
    append_label(labels, "container_id", record.context->place.container_id);
  return labels;
}

}  // namespace

void MetricRecords::add(const Batch& batch) {
  for (const Record& record : batch.records)
    if (record.schema->kind == Kind::metric) series_.add(record, labels_of(record));
}

void MetricRecords::append_to(Exposition& out, MonotonicTime now) const {
  for (const auto& [name, metric] : series_.metrics()) {
    const Field& field = *metric.field;
    out.family(name_of(name, field),
               is_count(field) ? Exposition::Kind::counter : Exposition::Kind::gauge,
               help_of(*metric.schema, field));
    for (const auto& [labels, series] : metric.series)
      if (is_count(field) || now <= series.until) out.sample(labels, series.value);
    if (metric.overflow) out.sample({{"overflow", "true"}}, metric.overflow->value);
  }
}

}  // namespace tapio::serve
