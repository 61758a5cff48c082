// SPDX-License-Identifier: Apache-2.0
#include "base/log.hpp"

#include <atomic>
#include <cstdio>
#include <string>
#include <utility>

#include "base/clock.hpp"
#include "base/text.hpp"

namespace tapio::log {

namespace {

std::atomic<Level> g_least = Level::info;
std::atomic<Format> g_format = Format::text;

std::string_view name(Level level) {
  switch (level) {
    case Level::debug:
      return "debug";
    case Level::info:
      return "info";
    case Level::warning:
      return "warning";
    case Level::error:
      return "error";
  }
  return "error";
}

}  // namespace

void configure(Level least, Format format) {
  g_least = least;
  g_format = format;
}

bool enabled(Level level) {
  return level >= g_least;
}

void write(Level level, std::string_view line) {
  if (!enabled(level)) return;
  std::string out;
  if (g_format == Format::json) {
    out = R"({"time":")";
    append_rfc3339(out, monotonic_now() + Clocks::read().wall_ahead);
    out.append(R"(","level":")").append(name(level)).append(R"(","message":)");
    append_json_string(out, line);
    out += '}';
  } else {
    if (level != Level::info) out.append(name(level)).append(": ");
    append_printable(out, line);
  }
  out += '\n';
  std::fwrite(out.data(), 1, out.size(), stderr);
}

bool Sparingly::due(std::chrono::nanoseconds monotonic, std::uint64_t& unsaid) {
  if (monotonic < next_) {
    ++unsaid_;
    return false;
  }
  next_ = monotonic + std::chrono::minutes(1);
  unsaid = std::exchange(unsaid_, 0);
  return true;
}

}  // namespace tapio::log
