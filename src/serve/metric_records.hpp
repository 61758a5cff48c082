// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <optional>
#include <string>

#include "record/record.hpp"
#include "serve/metrics.hpp"

namespace tapio::serve {

// Records of type metric as series for /metrics. A field with a unit is a value; the others and the
// container are labels. A field `count` says how many more, and makes a counter; any other value is
// a gauge. Each metric has so many series at most: what is beyond goes into one more, with the
// label overflow="true". One thread uses it.
class MetricRecords {
 public:
  // One that got nothing for so long makes room for another.
  static constexpr std::chrono::minutes kSilent{10};

  explicit MetricRecords(std::size_t max_series) : max_series_(max_series) {}

  void add(const Batch& batch);
  void append_to(Exposition& out) const;

 private:
  struct Series {
    double value = 0;
    MonotonicTime latest{};
  };
  struct Metric {
    std::string help;
    bool counts = false;
    std::map<std::string, Series, std::less<>> series{};  // by their labels
    std::optional<Series> overflow{};
    MonotonicTime next_clearing{};
  };
  void add(const Record& record);
  Series& series_of(Metric& metric, const std::string& labels, MonotonicTime now);
  void clear_silent(Metric& metric, MonotonicTime now);

  std::size_t max_series_;
  std::map<std::string, Metric, std::less<>> metrics_;  // no more than schemas have fields
};

}  // namespace tapio::serve
