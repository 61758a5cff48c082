// SPDX-License-Identifier: Apache-2.0
#include "record/metric_series.hpp"

#include <algorithm>

namespace tapio {

namespace {

constexpr std::chrono::minutes kClearEvery{1};
// Of an interval.
constexpr std::chrono::nanoseconds kLeast = std::chrono::nanoseconds(MetricSeries::kHolds) / 3;
constexpr std::chrono::nanoseconds kLongest = std::chrono::hours(24);

// How much of `name` are words with which `other` begins too, their dots included.
std::size_t shared_words(std::string_view name, std::string_view other) {
  const auto differ = std::ranges::mismatch(name, other).in1;
  const auto shared = static_cast<std::size_t>(differ - name.begin());
  const bool whole = shared == other.size() && shared < name.size() && name[shared] == '.';
  if (whole) return shared + 1;
  const auto dot = name.substr(0, shared).rfind('.');
  return dot == std::string_view::npos ? 0 : dot + 1;
}

// For how long the numbers of a record hold, when no other comes.
std::chrono::nanoseconds holds_for(const Record& record) {
  const Value* window = value_of(record, "window");
  const auto* interval = window ? std::get_if<std::chrono::nanoseconds>(window) : nullptr;
  if (!interval) return MetricSeries::kHolds;
  return std::clamp<std::chrono::nanoseconds>(*interval, kLeast, kLongest) * 3;
}

}  // namespace

std::string metric_name(const Schema& schema, const Field& field) {
  std::string name(schema.name);
  return (name += '.').append(field.name.substr(shared_words(field.name, schema.name)));
}

bool is_count(const Field& field) {
  return field.name == "count";
}

std::optional<double> number_of(const Value& value) {
  if (const auto* number = std::get_if<std::uint64_t>(&value)) return static_cast<double>(*number);
  if (const auto* number = std::get_if<std::int64_t>(&value)) return static_cast<double>(*number);
  if (const auto* number = std::get_if<double>(&value)) return *number;
  if (const auto* time = std::get_if<std::chrono::nanoseconds>(&value))
    return std::chrono::duration<double>(*time).count();
  return std::nullopt;
}

void MetricSeries::add(const Record& record, const std::string& labels) {
  const MonotonicTime now = record.origin.time;
  const MonotonicTime until = now + holds_for(record);
  for (std::size_t i = 0; i < record.schema->fields.size(); ++i) {
    const Field& field = record.schema->fields[i];
    const auto value = number_of(record.values[i]);
    if (field.unit.empty() || !value) continue;
    Series& series = series_of(metric_of(*record.schema, field), labels, now);
    series.value = is_count(field) ? series.value + *value : *value;
    series.latest = now;
    series.until = until;
    series.fresh = true;
  }
}

MetricSeries::Metric& MetricSeries::metric_of(const Schema& schema, const Field& field) {
  const auto [entry, made] = metrics_.try_emplace(metric_name(schema, field));
  if (made) entry->second = {.schema = &schema, .field = &field, .since = since_};
  return entry->second;
}

MetricSeries::Series& MetricSeries::series_of(Metric& metric, const std::string& labels,
                                              MonotonicTime now) {
  if (const auto known = metric.series.find(labels); known != metric.series.end())
    return known->second;
  if (metric.series.size() >= max_series_) clear_silent(metric, now);
  if (metric.series.size() < max_series_)
    return metric.series.emplace(labels, Series{.since = metric.since}).first->second;
  if (!metric.overflow) metric.overflow = Series{.since = metric.since};
  return *metric.overflow;
}

// Not for each record that finds no room. One of those that go may come again, and begin anew.
void MetricSeries::clear_silent(Metric& metric, MonotonicTime now) {
  if (now < metric.next_clearing) return;
  metric.next_clearing = now + kClearEvery;
  if (std::erase_if(metric.series,
                    [&](const auto& one) { return now - one.second.latest > kSilent; }) > 0)
    metric.since = now;
}

void MetricSeries::clear_fresh() {
  for (auto& [name, metric] : metrics_) {
    for (auto& [labels, series] : metric.series) series.fresh = false;
    if (metric.overflow) metric.overflow->fresh = false;
  }
}

}  // namespace tapio
