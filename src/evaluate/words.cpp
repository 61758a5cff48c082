// SPDX-License-Identifier: Apache-2.0
#include "evaluate/words.hpp"

#include <fmt/format.h>

#include <array>
#include <cmath>

namespace tapio {

std::string in_words(std::chrono::nanoseconds time) {
  struct Unit {
    std::string_view name;
    double ns;
    double up_to;  // of it; beyond, the next one; 0: all
  };
  static constexpr double kSecond = 1e9;
  static constexpr Unit kUnits[] = {
      {"ns", 1, 1000},
      {"us", 1e3, 100},
      {"ms", 1e6, 1000},
      {"s", kSecond, 120},
      {"min", kSecond * 60, 120},
      {"h", kSecond * 3600, 48},
      {"days", kSecond * 86'400, 0},
  };
  const std::string_view sign = time.count() < 0 ? "-" : "";
  const double ns = std::abs(static_cast<double>(time.count()));
  const auto* unit = kUnits;
  while (unit->up_to > 0 && ns / unit->ns >= unit->up_to) unit++;
  const double count = ns / unit->ns;
  auto text =
      count < 9.95 ? fmt::format("{}{:.1f}", sign, count) : fmt::format("{}{:.0f}", sign, count);
  if (text.ends_with(".0")) text.resize(text.size() - 2);
  return text.append(" ").append(unit->name);
}

std::string size_in_words(std::uint64_t bytes) {
  constexpr std::array<std::string_view, 7> kUnits = {"B",   "KiB", "MiB", "GiB",
                                                      "TiB", "PiB", "EiB"};
  std::size_t unit = 0;
  std::uint64_t tenths = bytes < 1024 ? bytes * 10 : 0;
  for (std::uint64_t rest = bytes; rest >= 1024 && unit + 1 < kUnits.size(); rest /= 1024) {
    unit++;
    tenths = rest / 1024 * 10 + rest % 1024 * 10 / 1024;
  }
  if (tenths >= 1000 || tenths % 10 == 0) return fmt::format("{} {}", tenths / 10, kUnits[unit]);
  return fmt::format("{}.{} {}", tenths / 10, tenths % 10, kUnits[unit]);
}

std::string_view confidence_in_words(double confidence) {
  if (confidence >= 0.95) return "almost certain";
  if (confidence >= 0.8) return "very likely";
  if (confidence >= 0.65) return "likely";
  if (confidence >= 0.5) return "possible";
  return "unclear";
}

}  // namespace tapio
