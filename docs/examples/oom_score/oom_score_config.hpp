// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <bit>
#include <cstdint>
#include <tuple>

#include "base/result.hpp"
#include "base/settings.hpp"

namespace tapio::oom_score {

struct Config {
  bool enabled = true;
  std::uint32_t rate_per_second = 100;
  ByteSize ring{64 << 10};
  bool only_extremes = false;

  // What a range cannot say of single settings.
  [[nodiscard]] Status check() const {
    if (!std::has_single_bit(ring.bytes)) return invalid("ring: give a power of two, like 64KiB");
    return {};
  }

  static constexpr auto settings() {
    return std::tuple{
        Setting{"enabled", &Config::enabled, "Watch who is to be killed when memory runs out."},
        Setting{"rate_per_second", &Config::rate_per_second,
                "Changes per second on this node, limited in the kernel. 0: no limit.", 0u,
                10'000'000u}
            .on_reload(),
        Setting{"ring", &Config::ring, "Size of the event buffer: a power of two.",
                ByteSize{4 << 10}, ByteSize{64 << 20}},
        Setting{
            "only_extremes", &Config::only_extremes,
            "Only changes to -1000, which spares a process, and to 1000, which offers it first."},
    };
  }
};

}  // namespace tapio::oom_score
