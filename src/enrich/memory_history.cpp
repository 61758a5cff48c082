// SPDX-License-Identifier: Apache-2.0
#include "enrich/memory_history.hpp"

namespace tapio {

void MemoryHistory::add(const CgroupMemory& reading) {
  const auto known = by_id_.find(reading.cgroup_id);
  if (known == by_id_.end()) {
    all_.push_back({.cgroup_id = reading.cgroup_id, .points = {}, .readings = {}});
    by_id_.emplace(reading.cgroup_id, std::prev(all_.end()));
  } else {
    all_.splice(all_.end(), all_, known->second);
  }
  auto& readings = all_.back().readings;
  readings.push_back(reading);
  if (readings.size() > World::kMaxReadings) readings.pop_front();
  auto& points = all_.back().points;
  points.push_back({.time = reading.time, .usage = reading.usage, .max = reading.max});
  if (points.size() > World::kMaxMemoryPoints) points.pop_front();
  if (all_.size() > kMaxCgroups) {
    by_id_.erase(all_.front().cgroup_id);
    all_.pop_front();
  }
}

void MemoryHistory::add(const NodePressure& reading) {
  node_.push_back(reading);
  if (node_.size() > World::kMaxReadings) node_.pop_front();
}

void MemoryHistory::expire(MonotonicTime now) {
  while (!all_.empty() && all_.front().points.back().time + kKeep < now) {
    by_id_.erase(all_.front().cgroup_id);
    all_.pop_front();
  }
}

std::vector<MemoryPoint> MemoryHistory::of(std::uint64_t cgroup_id) const {
  const auto known = by_id_.find(cgroup_id);
  if (known == by_id_.end()) return {};
  return {known->second->points.begin(), known->second->points.end()};
}

std::vector<CgroupMemory> MemoryHistory::readings(std::uint64_t cgroup_id) const {
  const auto known = by_id_.find(cgroup_id);
  if (known == by_id_.end()) return {};
  return {known->second->readings.begin(), known->second->readings.end()};
}

}  // namespace tapio
