// SPDX-License-Identifier: Apache-2.0
#include "evaluate/losses.hpp"

#include <algorithm>

namespace tapio {

void Losses::note(const Lost& fact) {
  windows_.push_back({.from = fact.from, .to = fact.to, .count = fact.count});
  if (windows_.size() <= kMaxWindows) return;
  const Window oldest = windows_.front();
  windows_.pop_front();
  Window& next = windows_.front();
  next = {.from = std::min(oldest.from, next.from),
          .to = std::max(oldest.to, next.to),
          .count = oldest.count + next.count};
}

std::uint64_t Losses::between(MonotonicTime from, MonotonicTime to) const {
  std::uint64_t count = 0;
  for (const auto& window : windows_)
    if (window.from <= to && window.to >= from) count += window.count;
  return count;
}

}  // namespace tapio
