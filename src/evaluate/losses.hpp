// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <deque>

#include "facts/facts.hpp"

namespace tapio {

// When how many records were lost.
class Losses {
 public:
  static constexpr std::size_t kMaxWindows = 64;  // beyond: the two oldest become one

  void note(const Lost& fact);
  [[nodiscard]] std::uint64_t between(MonotonicTime from, MonotonicTime to) const;

 private:
  struct Window {
    MonotonicTime from{}, to{};
    std::uint64_t count = 0;
  };
  std::deque<Window> windows_;
};

}  // namespace tapio
