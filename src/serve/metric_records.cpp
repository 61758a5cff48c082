// SPDX-License-Identifier: Apache-2.0
#include "serve/metric_records.hpp"

#include <fmt/format.h>

namespace tapio::serve {

namespace {

constexpr std::chrono::minutes kClearEvery{1};

bool is_count(const Field& field) {
  return field.name == "count";
}

std::string_view suffix_of(std::string_view unit) {
  if (unit == "By") return "_bytes";
  if (unit == "s") return "_seconds";
  return "";
}

std::string name_of(const Schema& schema, const Field& field) {
  const auto base = "tapio_" + metric_word(schema.name);
  if (is_count(field)) return base + "_total";
  return fmt::format("{}_{}{}", base, metric_word(field.name), suffix_of(field.unit));
}

std::string help_of(const Schema& schema, const Field& field) {
  return is_count(field) ? std::string(schema.help) : fmt::format("{} {}", schema.help, field.help);
}

std::optional<double> number_of(const Value& value) {
  if (const auto* number = std::get_if<std::uint64_t>(&value)) return static_cast<double>(*number);
  if (const auto* number = std::get_if<std::int64_t>(&value)) return static_cast<double>(*number);
  if (const auto* number = std::get_if<double>(&value)) return *number;
  if (const auto* time = std::get_if<std::chrono::nanoseconds>(&value))
    return std::chrono::duration<double>(*time).count();
  return std::nullopt;
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
    if (record.schema->kind == Kind::metric) add(record);
}

void MetricRecords::add(const Record& record) {
  const std::string labels = labels_of(record);
  for (std::size_t i = 0; i < record.schema->fields.size(); ++i) {
    const Field& field = record.schema->fields[i];
    const auto value = number_of(record.values[i]);
    if (field.unit.empty() || !value) continue;
    Metric& metric = metrics_[name_of(*record.schema, field)];
    metric.counts = is_count(field);
    if (metric.help.empty()) metric.help = help_of(*record.schema, field);
    Series& series = series_of(metric, labels, record.origin.time);
    series.value = metric.counts ? series.value + *value : *value;
    series.latest = record.origin.time;
  }
}

MetricRecords::Series& MetricRecords::series_of(Metric& metric, const std::string& labels,
                                                MonotonicTime now) {
  if (const auto known = metric.series.find(labels); known != metric.series.end())
    return known->second;
  if (metric.series.size() >= max_series_) clear_silent(metric, now);
  if (metric.series.size() < max_series_) return metric.series[labels];
  if (!metric.overflow) metric.overflow = Series{};
  return *metric.overflow;
}

// Not for each record that finds no room.
void MetricRecords::clear_silent(Metric& metric, MonotonicTime now) {
  if (now < metric.next_clearing) return;
  metric.next_clearing = now + kClearEvery;
  std::erase_if(metric.series, [&](const auto& one) { return now - one.second.latest > kSilent; });
}

void MetricRecords::append_to(Exposition& out) const {
  for (const auto& [name, metric] : metrics_) {
    out.family(name, metric.counts ? Exposition::Kind::counter : Exposition::Kind::gauge,
               metric.help);
    for (const auto& [labels, series] : metric.series) out.sample(labels, series.value);
    if (metric.overflow) out.sample({{"overflow", "true"}}, metric.overflow->value);
  }
}

}  // namespace tapio::serve
