// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <tuple>

#include "base/settings.hpp"

namespace tapio::kmsg {

struct Config {
  bool enabled = true;
  ByteSize bytes_per_second{512 << 10};

  static constexpr auto settings() {
    return std::tuple{
        Setting{"enabled", &Config::enabled, "Read the kernel's log."},
        Setting{"bytes_per_second", &Config::bytes_per_second,
                "Of the kernel's log, read at most this in a second; the rest waits in its buffer.",
                ByteSize{16 << 10}, ByteSize{16 << 20}}
            .on_reload(),
    };
  }
};

}  // namespace tapio::kmsg
