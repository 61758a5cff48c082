// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "base/outside.hpp"
#include "facts/cgroup.hpp"

namespace tapio::container {

// "MemAvailable:   23557924 kB" and the like, see proc(5); takes what it knows.
void take_meminfo(std::string_view text, NodePressure& out);

// What /proc says of the node's memory, and of how long tasks waited.
class NodeFiles {
 public:
  static constexpr std::size_t kMaxText = 8 << 10;  // of meminfo, which has 2 KiB or less

  explicit NodeFiles(Outside& outside = live_outside(), std::string proc = "/proc")
      : outside_(&outside), proc_(std::move(proc)) {}

  [[nodiscard]] NodePressure read(MonotonicTime now);

 private:
  [[nodiscard]] NodePressure look() const;

  Outside* outside_;
  std::string proc_;
};

}  // namespace tapio::container
