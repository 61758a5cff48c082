// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "base/lru.hpp"
#include "container_config.hpp"
#include "container_forecast.hpp"
#include "observer.hpp"

namespace tapio::container {

// What becomes of the readings of cgroups with a limit: facts, records from time to time, an event
// when somebody was killed, and predictions.
class MemoryReports {
 public:
  // Beyond it, the one that was read longest ago is forgotten, with its prediction.
  static constexpr std::size_t kMaxCgroups = 1024;

  explicit MemoryReports(const Config& config) : config_(config) {}

  void configure(const Config& config) { config_ = config; }
  void take(const NodePressure& reading, Output& out);
  void take(CgroupMemory reading, Output& out);
  // Those of one interval, when it is over.
  void tell(MonotonicTime now, Output& out);
  void forget(std::uint64_t cgroup_id) { cgroups_.erase(cgroup_id); }
  [[nodiscard]] std::uint64_t evicted() const { return evicted_; }

 private:
  struct Known {
    CgroupMemory latest;         // with what an earlier reading had beyond it
    MonotonicTime told_since{};  // of a prediction
    Forecaster forecaster;
    bool fresh = false;  // read since the last records
  };

  Known& know(std::uint64_t cgroup_id);
  static void tell_kill(const CgroupMemory& before, const CgroupMemory& now,
                        const NodePressure& node, Output& out);
  void predict(Known& known, const CgroupMemory& reading, Output& out);
  static void tell_prediction(const Forecast& forecast, const CgroupMemory& reading, Output& out);
  static void tell_end(ForecastEnd why, MonotonicTime since, const CgroupMemory& reading,
                       Output& out);
  void tell_node(MonotonicTime now, Output& out) const;
  [[nodiscard]] std::vector<const CgroupMemory*> chosen();

  Config config_;
  NodePressure node_;
  Lru<std::uint64_t, Known> cgroups_{kMaxCgroups};
  MonotonicTime next_{};
  std::uint64_t evicted_ = 0;
};

}  // namespace tapio::container
