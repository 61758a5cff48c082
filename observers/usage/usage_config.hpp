// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <tuple>

#include "base/settings.hpp"

namespace tapio::usage {

struct Config {
  bool enabled = true;
  std::chrono::milliseconds interval{10'000};
  std::uint32_t processes_per_second = 256;
  std::uint32_t largest = 20;

  static constexpr auto settings() {
    using std::chrono::milliseconds;
    return std::tuple{
        Setting{"enabled", &Config::enabled, "Tell what living processes use."},
        Setting{"interval", &Config::interval, "How often.", milliseconds(2000),
                milliseconds(3'600'000)}
            .on_reload(),
        Setting{"processes_per_second", &Config::processes_per_second,
                "Processes that are read in one second; with more of them an interval is longer.",
                16u, 10'000u}
            .on_reload(),
        Setting{
            "largest", &Config::largest,
            "Of programs, and of cgroups: so many by CPU time and so many by memory have a record. "
            "The others are summed up in one more.",
            1u, 500u}
            .on_reload(),
    };
  }
};

}  // namespace tapio::usage
