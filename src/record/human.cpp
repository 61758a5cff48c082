// SPDX-License-Identifier: Apache-2.0
#include "record/human.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <ctime>
#include <iterator>

#include "base/text.hpp"

namespace tapio {

namespace {

constexpr std::uint64_t kMicrosecond = 1'000, kMillisecond = 1'000'000, kSecond = 1'000'000'000,
                        kMinute = 60 * kSecond, kHour = 60 * kMinute, kDay = 24 * kHour;

template <typename... Args>
void put(std::string& out, fmt::format_string<Args...> format, Args&&... args) {
  fmt::format_to(std::back_inserter(out), format, std::forward<Args>(args)...);
}

void put_tenths(std::string& out, std::uint64_t value, std::uint64_t unit, std::string_view name) {
  put(out, "{}.{}{}", value / unit, value % unit * 10 / unit, name);
}

}  // namespace

void append_human(std::string& out, std::chrono::nanoseconds duration) {
  auto ns = static_cast<std::uint64_t>(duration.count());
  if (duration.count() < 0) {
    out += '-';
    ns = 0 - ns;
  }
  if (ns < kMicrosecond)
    put(out, "{}ns", ns);
  else if (ns < kMillisecond)
    put_tenths(out, ns, kMicrosecond, "us");
  else if (ns < kSecond)
    put_tenths(out, ns, kMillisecond, "ms");
  else if (ns < kMinute)
    put_tenths(out, ns, kSecond, "s");
  else if (ns < kHour)
    put(out, "{}m{}s", ns / kMinute, ns % kMinute / kSecond);
  else if (ns < kDay)
    put(out, "{}h{}m", ns / kHour, ns % kHour / kMinute);
  else
    put(out, "{}d{}h", ns / kDay, ns % kDay / kHour);
}

void append_human_bytes(std::string& out, std::uint64_t bytes) {
  constexpr std::string_view kUnits[] = {"KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
  if (bytes < 1024) {
    put(out, "{}B", bytes);
    return;
  }
  // The rest below the last unit but one is less than a tenth of it.
  std::size_t unit = 0;
  for (; bytes >= 1024 * 1024; bytes /= 1024) ++unit;
  put_tenths(out, bytes, 1024, kUnits[unit]);
}

void append_human_time(std::string& out, std::chrono::nanoseconds since_epoch) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(since_epoch);
  const std::time_t whole = seconds.count();
  std::tm t{};
  ::localtime_r(&whole, &t);
  put(out, "{:02}:{:02}:{:02}.{:03}", t.tm_hour, t.tm_min, t.tm_sec,
      (since_epoch - seconds).count() / static_cast<std::int64_t>(kMillisecond));
}

std::string cut(std::string_view text, std::size_t most) {
  if (columns(text) <= most) return std::string(text);
  std::size_t end = 0;
  for (std::size_t column = 1; column < most; ++column)
    end += std::max<std::size_t>(1, utf8_length(text.substr(end)));
  return std::string(text.substr(0, end)) + (most > 0 ? "\u2026" : "");
}

}  // namespace tapio
