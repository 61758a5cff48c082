// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>

#include "facts/oom.hpp"
#include "record/record.hpp"

// Which of a victim's memory cgroups was full.
namespace tapio::process {

// The counters are read when the SIGKILL is sent, up to 64 pages of each CPU's stock are charged
// ahead, and others free memory in the meantime: full is what has less than this part left.
inline constexpr std::uint64_t kFullWithin = 16;

// The level that is nearest to its limit, and no more than a kFullWithin-th of it
// away; of equal ones the lowest. nullptr: none is, so the machine itself ran out of memory.
[[nodiscard]] const MemoryLevel* full_level(std::span<const MemoryLevel> levels);

// "cgroup=77 usage=16777216 max=16777216 swap=0 swap_max=none"
[[nodiscard]] std::string_view describe(const MemoryLevel& level, Arena& arena);

}  // namespace tapio::process
