// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace tapio {

// CLOCK_MONOTONIC since boot, what bpf_ktime_get_ns() gives. All order and all intervals are in it;
// wall time is only written, never compared.
using MonotonicTime = std::chrono::nanoseconds;

// 146 years. What comes from outside is not later, so that a difference of two times always fits.
inline constexpr MonotonicTime kLatestTime{std::int64_t{1} << 62};

[[nodiscard]] MonotonicTime monotonic_now();
// The same as of the kernel's last tick, 1 to 10 ms old, for a fraction of the price.
[[nodiscard]] MonotonicTime monotonic_tick();

// What turns the kernel's clocks into one another. Taken anew again and again, because the wall
// clock jumps. CLOCK_MONOTONIC stands still while the machine is suspended and the others do not,
// so what happened before a suspend has less between the clocks than what happens now.
struct Clocks {
  static constexpr std::size_t kSuspends = 8;  // beyond it the oldest is forgotten
  // Shorter ones are not told from the time that the reading takes.
  static constexpr std::chrono::milliseconds kShortest{100};
  struct Suspend {
    MonotonicTime until{};  // seen then; what is older happened before it
    std::chrono::nanoseconds lasted{};
  };

  std::chrono::nanoseconds wall_ahead{};      // CLOCK_REALTIME minus CLOCK_MONOTONIC
  std::chrono::nanoseconds boottime_ahead{};  // CLOCK_BOOTTIME minus CLOCK_MONOTONIC

  std::array<Suspend, kSuspends> suspends{};  // newest first

  [[nodiscard]] static Clocks read();
  // These, read at `now`, with the suspends that those read before knew of, and with one more when
  // the machine was suspended since.
  [[nodiscard]] Clocks after(const Clocks& before, MonotonicTime now) const;
  // CLOCK_REALTIME minus CLOCK_MONOTONIC for what happened at `time`, as the wall clock counts now:
  // when it was set meanwhile, the new setting is the right one.
  [[nodiscard]] std::chrono::nanoseconds wall_ahead_at(MonotonicTime time) const;
  // CLOCK_BOOTTIME minus CLOCK_MONOTONIC at `time`.
  [[nodiscard]] std::chrono::nanoseconds boottime_ahead_at(MonotonicTime time) const;

 private:
  // How long the machine was suspended since.
  [[nodiscard]] std::chrono::nanoseconds suspended_since(MonotonicTime time) const;
};

// RFC 3339 in UTC with nanoseconds: "2026-11-21T02:03:04.000000005Z".
[[nodiscard]] std::string rfc3339(std::chrono::nanoseconds since_epoch);
void append_rfc3339(std::string& out, std::chrono::nanoseconds since_epoch);
inline constexpr std::size_t kRfc3339Bytes = 30;  // years of std::chrono::nanoseconds have 4 digits
void write_rfc3339(std::span<char, kRfc3339Bytes> room, std::chrono::nanoseconds since_epoch);

}  // namespace tapio
