// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <tuple>

#include "base/settings.hpp"

namespace tapio::json {

struct Config {
  bool enabled = false;
  std::string path = "-";
  ByteSize max_bytes{256 << 20};

  static constexpr auto settings() {
    return std::tuple{
        Setting{"enabled", &Config::enabled, "Write every record as a line of JSON."},
        Setting{"path", &Config::path, "File to append to; - is standard output."},
        Setting{"max_bytes", &Config::max_bytes,
                "A file that would grow beyond it is renamed to <path>.1, in place of the one "
                "before, and a new one begun.",
                ByteSize{64 << 10}, ByteSize{1ull << 40}}
            .on_reload(),
    };
  }
};

}  // namespace tapio::json
