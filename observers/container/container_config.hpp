// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <bit>
#include <chrono>
#include <cstdint>
#include <tuple>

#include "base/result.hpp"
#include "base/settings.hpp"

namespace tapio::container {

struct Config {
  bool enabled = true;
  std::uint32_t rate_per_second = 100;
  ByteSize ring{256 << 10};
  bool memory = true;
  std::chrono::milliseconds memory_interval{1000};
  bool limits = true;
  std::chrono::milliseconds limits_interval{5000};
  std::uint32_t readings_per_second = 256;
  bool lifecycle = true;
  bool boundary = true;
  bool forecast = true;
  bool records = true;
  std::chrono::milliseconds records_interval{10'000};
  std::uint32_t largest = 50;

  // What a range cannot say of single settings.
  [[nodiscard]] Status check() const {
    if (!std::has_single_bit(ring.bytes)) return invalid("ring: give a power of two, like 256KiB");
    return {};
  }

  static constexpr auto settings() {
    using std::chrono::milliseconds;
    return std::tuple{
        Setting{"enabled", &Config::enabled, "Watch control groups: those of containers too."},
        Setting{"rate_per_second", &Config::rate_per_second,
                "Records of cgroups per second. Tables and stories see all of them. 0: no limit.",
                0u, 10'000'000u}
            .on_reload(),
        Setting{"ring", &Config::ring, "Size of the event buffer: a power of two.",
                ByteSize{4 << 10}, ByteSize{64 << 20}},
        Setting{
            "memory", &Config::memory,
            "Read how much memory each cgroup with a limit uses, what its tasks wait for, and how "
            "the node is, for stories and predictions."}
            .on_reload(),
        Setting{"memory_interval", &Config::memory_interval, "How often.", milliseconds(1000),
                milliseconds(3'600'000)}
            .on_reload(),
        Setting{"limits", &Config::limits,
                "Report when a limit of a cgroup (memory, CPU, pids) is changed."}
            .on_reload(),
        Setting{"limits_interval", &Config::limits_interval,
                "How often they are read. A limit that goes and comes back in between is not seen.",
                milliseconds(1000), milliseconds(3'600'000)}
            .on_reload(),
        Setting{"lifecycle", &Config::lifecycle, "Report when containers start, end and are gone."}
            .on_reload(),
        Setting{"boundary", &Config::boundary,
                "Report processes that get out of their container: its control group, or the "
                "mount or pid namespace."}
            .on_reload(),
        Setting{"readings_per_second", &Config::readings_per_second,
                "Cgroups that are read in one second, in turn; more of them are read less often.",
                1u, 10'000u}
            .on_reload(),
        Setting{"forecast", &Config::forecast,
                "Predict when a cgroup will have used up its memory limit."}
            .on_reload(),
        Setting{"records", &Config::records,
                "Report the memory of cgroups with a limit, and what tasks waited for, from time "
                "to time."}
            .on_reload(),
        Setting{"records_interval", &Config::records_interval, "How often.", milliseconds(1000),
                milliseconds(3'600'000)}
            .on_reload(),
        Setting{
            "largest", &Config::largest,
            "Of how many cgroups at a time: those that wait most or are nearest to their limit.",
            1u, 1024u}
            .on_reload(),
    };
  }
};

}  // namespace tapio::container
