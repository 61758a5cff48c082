// SPDX-License-Identifier: Apache-2.0
#include "base/clock.hpp"

#include <fmt/format.h>

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

Clocks Clocks::read() {
  const auto monotonic = tapio::read(CLOCK_MONOTONIC);
  return {.wall_ahead = tapio::read(CLOCK_REALTIME) - monotonic,
          .boottime_ahead = tapio::read(CLOCK_BOOTTIME) - monotonic};
}

void append_rfc3339(std::string& out, std::chrono::nanoseconds since_epoch) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(since_epoch);
  const std::time_t whole = seconds.count();
  // Not since_epoch - seconds: just before the earliest time, that overflows.
  const auto rest = since_epoch % std::chrono::seconds(1);
  auto fraction = (rest.count() < 0 ? rest + std::chrono::seconds(1) : rest).count();
  // Times come in rows of the same second.
  thread_local std::pair<std::time_t, std::string> latest{0, "1970-01-01T00:00:00."};
  if (latest.first != whole) latest = {whole, seconds_text(whole)};
  out += latest.second;
  std::array<char, 9> digits;
  for (std::size_t i = digits.size(); i-- > 0; fraction /= 10)
    digits[i] = static_cast<char>('0' + fraction % 10);
  out.append(digits.data(), digits.size()) += 'Z';
}

std::string rfc3339(std::chrono::nanoseconds since_epoch) {
  std::string out;
  append_rfc3339(out, since_epoch);
  return out;
}

}  // namespace tapio
