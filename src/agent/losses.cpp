// SPDX-License-Identifier: Apache-2.0
#include "agent/losses.hpp"

namespace tapio::agent {

std::vector<Loss> Losses::fresh(MonotonicTime now) {
  std::vector<Loss> news;
  for (auto& [key, entry] : entries_) {
    if (entry.total <= entry.reported) continue;
    news.push_back({key, checked_, now, entry.total - entry.reported});
    entry.reported = entry.total;
  }
  checked_ = now;
  return news;
}

std::vector<Loss> Losses::all() const {
  std::vector<Loss> totals;
  for (const auto& [key, entry] : entries_)
    if (entry.total) totals.push_back({.key = key, .count = entry.total});
  return totals;
}

}  // namespace tapio::agent
