// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "record/metric_series.hpp"
#include "serve/metrics.hpp"

namespace tapio::serve {

// Records of type metric as series for /metrics: a count is a counter, any other value a gauge. The
// container is a label too. A gauge that got nothing for long is not there. What has no room is in
// the series with the label overflow="true".
class MetricRecords {
 public:
  explicit MetricRecords(std::size_t max_series) : series_(max_series, {}) {}

  void add(const Batch& batch);
  void append_to(Exposition& out, MonotonicTime now) const;

 private:
  MetricSeries series_;
};

}  // namespace tapio::serve
