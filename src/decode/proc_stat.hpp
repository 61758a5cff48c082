// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string_view>

#include "base/result.hpp"

// /proc/PID/stat, see proc(5).
namespace tapio::proc {

struct Stat {
  std::string_view name;
  char state = 0;
  std::uint32_t parent_pid = 0;
  std::uint32_t threads = 0;
  std::uint64_t cpu_ticks = 0;  // in user mode and in the kernel; kTicksPerSecond
  std::uint64_t start_ticks = 0;
  std::uint64_t resident_pages = 0;
  std::uint64_t args_bytes = 0;  // 0: not told (kernel threads, or no right to see it)

  // A leader that has ended while other threads go on shows as zombie too.
  [[nodiscard]] bool dead() const { return state == 'X' || (state == 'Z' && threads <= 1); }
};

// USER_HZ, which is part of the kernel's ABI on x86_64 and arm64.
inline constexpr std::uint64_t kTicksPerSecond = 100;

// Of /proc/PID/stat. The name may hold spaces, newlines and parentheses.
Result<Stat> parse_stat(std::string_view text);

}  // namespace tapio::proc
