// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <string>

namespace tapio {

// CLOCK_MONOTONIC since boot, what bpf_ktime_get_ns() gives. All order and all intervals are in it;
// wall time is only written, never compared.
using MonotonicTime = std::chrono::nanoseconds;

[[nodiscard]] MonotonicTime monotonic_now();

// What turns the kernel's clocks into one another. Taken anew each second, because the wall clock
// jumps and a suspend moves CLOCK_BOOTTIME.
struct Clocks {
  std::chrono::nanoseconds wall_ahead{};      // CLOCK_REALTIME minus CLOCK_MONOTONIC
  std::chrono::nanoseconds boottime_ahead{};  // CLOCK_BOOTTIME minus CLOCK_MONOTONIC

  [[nodiscard]] static Clocks read();
};

// RFC 3339 in UTC with nanoseconds: "2026-11-21T02:03:04.000000005Z".
[[nodiscard]] std::string rfc3339(std::chrono::nanoseconds since_epoch);
void append_rfc3339(std::string& out, std::chrono::nanoseconds since_epoch);

}  // namespace tapio
