// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/clock.hpp"

namespace tapio::agent {

struct LossKey {
  std::string observer;  // "*": not one observer's
  std::string event_class;
  std::string stage;
  std::string reason;
  auto operator<=>(const LossKey&) const = default;
};

struct Loss {
  LossKey key;
  MonotonicTime from{}, to{};
  std::uint64_t count = 0;
};

// Everything that was dropped anywhere, as totals; what is new of it becomes gap records. Bounded
// by the number of observers, classes, stages and reasons.
class Losses {
 public:
  explicit Losses(MonotonicTime since) : checked_(since) {}

  void total(const LossKey& key, std::uint64_t count) { entries_[key].total = count; }
  void add(const LossKey& key, std::uint64_t count) { entries_[key].total += count; }

  // What came since the last call.
  std::vector<Loss> fresh(MonotonicTime now);
  [[nodiscard]] std::vector<Loss> all() const;  // totals; `from` and `to` are not set

 private:
  struct Entry {
    std::uint64_t total = 0, reported = 0;
  };
  std::map<LossKey, Entry> entries_;
  MonotonicTime checked_;
};

}  // namespace tapio::agent
