// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <deque>
#include <optional>
#include <span>
#include <string_view>

#include "record/record.hpp"

namespace tapio::dns {

// An incident is told once, and again after a minute while it goes on.
class Repeat {
 public:
  [[nodiscard]] bool due(MonotonicTime now);

 private:
  static constexpr std::chrono::nanoseconds kPause = std::chrono::minutes(1);
  std::optional<MonotonicTime> told_;
};

// Something that happens again and again: when, and the records that say so.
class Streak {
 public:
  static constexpr std::size_t kMax = 16;  // of which evidence is kept, the latest

  void add(MonotonicTime time, RecordId evidence);
  void forget_before(MonotonicTime time);
  [[nodiscard]] bool tell(MonotonicTime now) { return repeat_.due(now); }

  [[nodiscard]] std::size_t count() const { return times_.size(); }
  [[nodiscard]] bool empty() const { return times_.empty(); }
  [[nodiscard]] MonotonicTime first() const { return times_.front(); }
  [[nodiscard]] MonotonicTime latest() const { return times_.back(); }
  [[nodiscard]] std::chrono::nanoseconds length() const { return latest() - first(); }
  [[nodiscard]] std::span<const std::string_view> evidence(Arena& arena) const;

 private:
  static constexpr std::size_t kMaxTimes = 1'024;  // counted; beyond it the oldest goes

  std::deque<MonotonicTime> times_;
  std::deque<RecordId> evidence_;
  Repeat repeat_;
};

// How many in the last minute; exact, however many there are.
class PerMinute {
 public:
  void add(MonotonicTime now);
  // Of those, in the seconds behind the one of `since`.
  [[nodiscard]] std::uint64_t count(MonotonicTime now, MonotonicTime since = {}) const;

 private:
  struct Second {
    std::int64_t number = -1;
    std::uint32_t count = 0;
  };
  std::array<Second, 60> seconds_{};
};

}  // namespace tapio::dns
