// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "evaluate/story.hpp"

// What tasks of a cgroup, and of the node, waited for in the seconds before something happened.
namespace tapio {

// Of the last 10 s, percent (PSI, some). Below it nobody has noticed: a healthy cgroup has 0, and a
// few percent come of reading files.
inline constexpr double kWaitsForMemory = 10;
// Tasks wait for a CPU whenever there are more of them than CPUs, and for a disk in each backup.
inline constexpr double kWaitsForCpu = 50, kWaitsForIo = 40;
// Of its periods: where alerts on Kubernetes begin (CPUThrottlingHigh).
inline constexpr double kThrottled = 25;
// So often did it come to its limit in the readings before: once or twice is page cache that goes.
inline constexpr std::uint64_t kManyHits = 10;
// An older reading says nothing of that moment; PSI itself looks back 10 s.
inline constexpr std::chrono::nanoseconds kReadLately = std::chrono::seconds(12);

// The latest reading of the cgroup at `time` or before that tells pressure, throttling and events;
// nothing: none of them is recent.
[[nodiscard]] std::optional<CgroupMemory> reading_before(std::uint64_t cgroup_id,
                                                         MonotonicTime time, const World& world);
[[nodiscard]] std::optional<NodePressure> node_before(MonotonicTime time, const World& world);

// Sentences, for what is above these thresholds.
[[nodiscard]] std::vector<std::string> pressure_before(std::uint64_t cgroup_id, MonotonicTime time,
                                                       const World& world);
// The same, as the first steps of the story.
void add_pressure(Story& story, const World& world);

}  // namespace tapio
