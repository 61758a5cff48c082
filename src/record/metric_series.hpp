// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <optional>
#include <string>

#include "record/record.hpp"

namespace tapio {

// "dns.latency.p50": the metric that a field of a metric record is; the schema's name, and that of
// the field without the words with which both begin.
[[nodiscard]] std::string metric_name(const Schema& schema, const Field& field);

// A field `count` says how many more there were, and is summed; of any other the latest value
// holds.
[[nodiscard]] bool is_count(const Field& field);

// As floating point, durations in seconds; nothing of what is no number.
[[nodiscard]] std::optional<double> number_of(const Value& value);

// Records of type metric as series, for consumers who want to know how much it is now or was in
// all. A field with a unit is a value; the others are labels. Each metric has so many series at
// most: what is beyond goes into one more. One thread uses it.
class MetricSeries {
 public:
  // One that got nothing for so long makes room for another.
  static constexpr std::chrono::minutes kSilent{10};
  // For so long a gauge holds at least.
  static constexpr std::chrono::minutes kHolds{1};

  struct Series {
    double value = 0;
    MonotonicTime since{};   // a sum began not later
    MonotonicTime latest{};  // record
    MonotonicTime
        until{};         // a gauge holds: for three of its intervals, where it has a field `window`
    bool fresh = false;  // since clear_fresh()
  };
  struct Metric {
    const Schema* schema = nullptr;
    const Field* field = nullptr;
    std::map<std::string, Series, std::less<>> series{};  // by their labels
    std::optional<Series> overflow{};
    MonotonicTime next_clearing{};
    MonotonicTime since{};  // of series that come
  };
  using Metrics = std::map<std::string, Metric, std::less<>>;  // by metric_name()

  // `since`: when counting begins.
  MetricSeries(std::size_t max_series, MonotonicTime since)
      : max_series_(max_series), since_(since) {}

  // A record of type metric; `labels` are what tells its series apart, as the consumer writes them.
  void add(const Record& record, const std::string& labels);
  void clear_fresh();
  [[nodiscard]] const Metrics& metrics() const { return metrics_; }

 private:
  Metric& metric_of(const Schema& schema, const Field& field);
  Series& series_of(Metric& metric, const std::string& labels, MonotonicTime now);
  static void clear_silent(Metric& metric, MonotonicTime now);

  std::size_t max_series_;
  MonotonicTime since_;
  Metrics metrics_;  // no more than schemas have fields
};

}  // namespace tapio
