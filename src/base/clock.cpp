// SPDX-License-Identifier: Apache-2.0
#include "base/clock.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <ctime>
#include <utility>

namespace tapio {

static std::chrono::nanoseconds read(clockid_t clock) {
  timespec t{};
  ::clock_gettime(clock, &t);
  return std::chrono::seconds(t.tv_sec) + std::chrono::nanoseconds(t.tv_nsec);
}

static std::string seconds_text(std::time_t whole) {
  std::tm t{};
  ::gmtime_r(&whole, &t);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.", t.tm_year + 1900, t.tm_mon + 1,
                     t.tm_mday, t.tm_hour, t.tm_min, t.tm_sec);
}

MonotonicTime monotonic_now() {
  return read(CLOCK_MONOTONIC);
}

MonotonicTime monotonic_tick() {
  return read(CLOCK_MONOTONIC_COARSE);
}

// Whoever is preempted between two clocks reads them apart: of a few tries the tightest counts.
Clocks Clocks::read() {
  constexpr int kTries = 3;
  constexpr auto kTight = std::chrono::microseconds(2);
  Clocks best;
  auto tightest = std::chrono::nanoseconds::max();
  for (int i = 0; i < kTries && tightest > kTight; ++i) {
    const auto before = tapio::read(CLOCK_MONOTONIC);
    const auto wall = tapio::read(CLOCK_REALTIME);
    const auto boottime = tapio::read(CLOCK_BOOTTIME);
    const auto took = tapio::read(CLOCK_MONOTONIC) - before;
    if (took >= tightest) continue;
    tightest = took;
    best.wall_ahead = wall - before - took / 2;
    best.boottime_ahead = std::max(boottime - before - took / 2, std::chrono::nanoseconds(0));
  }
  return best;
}

Clocks Clocks::after(const Clocks& before, MonotonicTime now) const {
  Clocks clocks = *this;
  clocks.suspends = before.suspends;
  const bool is_first = before.wall_ahead.count() == 0;
  const auto lasted = boottime_ahead - before.boottime_ahead;
  if (is_first || lasted < kShortest) return clocks;
  std::ranges::rotate(clocks.suspends, clocks.suspends.end() - 1);
  clocks.suspends.front() = {.until = now, .lasted = lasted};
  return clocks;
}

std::chrono::nanoseconds Clocks::suspended_since(MonotonicTime time) const {
  std::chrono::nanoseconds suspended{};
  for (const Suspend& suspend : suspends)
    if (time < suspend.until) suspended += suspend.lasted;
  return suspended;
}

std::chrono::nanoseconds Clocks::wall_ahead_at(MonotonicTime time) const {
  return wall_ahead - suspended_since(time);
}

std::chrono::nanoseconds Clocks::boottime_ahead_at(MonotonicTime time) const {
  return boottime_ahead - suspended_since(time);
}

void write_rfc3339(std::span<char, kRfc3339Bytes> room, std::chrono::nanoseconds since_epoch) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(since_epoch);
  const std::time_t whole = seconds.count();
  // Not since_epoch - seconds: just before the earliest time, that overflows.
  const auto rest = since_epoch % std::chrono::seconds(1);
  auto fraction = (rest.count() < 0 ? rest + std::chrono::seconds(1) : rest).count();
  // Times come in rows of the same second.
  static thread_local std::pair<std::time_t, std::string> latest{0, "1970-01-01T00:00:00."};
  if (latest.first != whole) latest = {whole, seconds_text(whole)};
  static constexpr std::size_t kSeconds = 20;  // "2026-11-21T02:03:04."
  std::ranges::copy(latest.second, room.begin());
  const auto digits = room.subspan<kSeconds>();
  for (std::size_t i = digits.size() - 1; i-- > 0; fraction /= 10)
    digits[i] = static_cast<char>('0' + fraction % 10);
  digits.back() = 'Z';
}

void append_rfc3339(std::string& out, std::chrono::nanoseconds since_epoch) {
  std::array<char, kRfc3339Bytes> text;
  write_rfc3339(text, since_epoch);
  out.append(text.data(), text.size());
}

std::string rfc3339(std::chrono::nanoseconds since_epoch) {
  std::string out;
  append_rfc3339(out, since_epoch);
  return out;
}

}  // namespace tapio
