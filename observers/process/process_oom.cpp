// SPDX-License-Identifier: Apache-2.0
#include "process_oom.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace tapio::process {

namespace {

// How much is left, in parts of the limit: 0 full, 1 empty or no limit.
double left_of(std::uint64_t usage, std::uint64_t max) {
  if (max == kNoLimit) return 1;
  if (usage >= max) return 0;
  return static_cast<double>(max - usage) / static_cast<double>(max);
}

// On v1 the second counter holds memory and swap together and may be what is full. On v2 it holds
// swap alone, and one that is full, or forbidden, kills nobody.
double left_of(const MemoryLevel& level) {
  const double memory = left_of(level.usage, level.max);
  const bool together = level.swap_usage >= level.usage && level.swap_max >= level.max;
  return together ? std::min(memory, left_of(level.swap_usage, level.swap_max)) : memory;
}

std::string limit(std::uint64_t bytes) {
  return bytes == kNoLimit ? "none" : std::to_string(bytes);
}

}  // namespace

const MemoryLevel* full_level(std::span<const MemoryLevel> levels) {
  const auto nearest =
      std::ranges::min_element(levels, {}, [](const MemoryLevel& level) { return left_of(level); });
  if (nearest == levels.end() || left_of(*nearest) > 1.0 / kFullWithin) return nullptr;
  return &*nearest;
}

std::string_view describe(const MemoryLevel& level, Arena& arena) {
  return arena.keep(fmt::format("cgroup={} usage={} max={} swap={} swap_max={}", level.cgroup_id,
                                level.usage, limit(level.max), level.swap_usage,
                                limit(level.swap_max)));
}

}  // namespace tapio::process
