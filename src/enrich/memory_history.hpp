// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <deque>
#include <list>
#include <unordered_map>
#include <vector>

#include "facts/world.hpp"

namespace tapio {

// The memory of cgroups over the last World::kMaxMemoryPoints readings of each. Those that are not
// measured any more stay for a while: a cgroup often ends with what is asked about.
class MemoryHistory {
 public:
  static constexpr std::size_t kMaxCgroups = 1024;  // beyond it, the one measured longest ago goes
  static constexpr std::chrono::seconds kKeep{300};

  void add(const CgroupMemory& reading);
  void expire(MonotonicTime now);
  void add(const NodePressure& reading);
  [[nodiscard]] std::vector<MemoryPoint> of(std::uint64_t cgroup_id) const;  // oldest first
  [[nodiscard]] std::vector<CgroupMemory> readings(std::uint64_t cgroup_id) const;
  [[nodiscard]] std::vector<NodePressure> node() const { return {node_.begin(), node_.end()}; }

 private:
  struct Series {
    std::uint64_t cgroup_id;
    std::deque<MemoryPoint> points;
    std::deque<CgroupMemory> readings;  // all that was read, of the latest ones
  };
  using All = std::list<Series>;

  All all_;  // measured longest ago first
  std::unordered_map<std::uint64_t, All::iterator> by_id_;
  std::deque<NodePressure> node_;
};

}  // namespace tapio
