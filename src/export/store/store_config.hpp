// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <string>
#include <tuple>

#include "base/settings.hpp"

namespace tapio::store {

struct Config {
  bool enabled = true;
  std::string path = "/var/lib/tapio/tapio.db";
  ByteSize max_bytes{256 << 20};
  std::chrono::milliseconds max_age = std::chrono::hours(7 * 24);
  std::chrono::milliseconds max_story_age = std::chrono::hours(30 * 24);

  [[nodiscard]] Status check() const {
    if (path.starts_with('/')) return {};
    return invalid("path: give it from the root, like /var/lib/tapio/tapio.db");
  }

  static constexpr auto settings() {
    using std::chrono::hours;
    using std::chrono::minutes;
    return std::tuple{
        Setting{"enabled", &Config::enabled, "Keep records in a database on this node."},
        Setting{"path", &Config::path,
                "The database file; its directory is made if it is missing."},
        Setting{"max_bytes", &Config::max_bytes,
                "What the store takes on disk, its log included. The oldest records go first; "
                "findings and stories go last.",
                ByteSize{8 << 20}, ByteSize{1ull << 40}}
            .on_reload(),
        Setting{"max_age", &Config::max_age, "How long events, metrics and gaps are kept.",
                std::chrono::milliseconds(minutes(1)),
                std::chrono::milliseconds(hours(10 * 365 * 24))}
            .on_reload(),
        Setting{"max_story_age", &Config::max_story_age, "How long findings and stories are kept.",
                std::chrono::milliseconds(minutes(1)),
                std::chrono::milliseconds(hours(10 * 365 * 24))}
            .on_reload(),
    };
  }
};

}  // namespace tapio::store
