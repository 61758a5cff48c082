// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fmt/format.h>

#include <chrono>
#include <cstdint>
#include <string_view>

// To stderr, a line each, as text or JSON. Never once per event: use `Sparingly`.
namespace tapio::log {

enum class Level : std::uint8_t { debug, info, warning, error };
enum class Format : std::uint8_t { text, json };

void configure(Level least, Format format);
[[nodiscard]] bool enabled(Level level);
void write(Level level, std::string_view line);

template <typename... Args>
void debug(fmt::format_string<Args...> format, Args&&... args) {
  if (enabled(Level::debug)) write(Level::debug, fmt::format(format, std::forward<Args>(args)...));
}
template <typename... Args>
void info(fmt::format_string<Args...> format, Args&&... args) {
  if (enabled(Level::info)) write(Level::info, fmt::format(format, std::forward<Args>(args)...));
}
template <typename... Args>
void warning(fmt::format_string<Args...> format, Args&&... args) {
  write(Level::warning, fmt::format(format, std::forward<Args>(args)...));
}
template <typename... Args>
void error(fmt::format_string<Args...> format, Args&&... args) {
  write(Level::error, fmt::format(format, std::forward<Args>(args)...));
}

// One line a minute about something that may happen a million times a second.
class Sparingly {
 public:
  // True when a line is due; `unsaid` then holds how often it was false since the last.
  bool due(std::chrono::nanoseconds monotonic, std::uint64_t& unsaid);

 private:
  std::chrono::nanoseconds next_{};
  std::uint64_t unsaid_ = 0;
};

}  // namespace tapio::log
