// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>

#include "base/clock.hpp"

namespace tapio {

// A token bucket that holds one second's worth. Time is the events' own, so a replay decides alike.
class Bucket {
 public:
  explicit Bucket(std::uint32_t per_second) : per_second_(per_second), left_(per_second) {}

  // What was left stays, as far as it is within the new rate.
  void set_rate(std::uint32_t per_second) {
    left_ = per_second_ != 0 ? std::min<double>(left_, per_second) : per_second;
    per_second_ = per_second;
  }

  // Always true for a rate of 0, which means no limit.
  bool admit(MonotonicTime now) {
    if (!per_second_) return true;
    if (now > last_) {
      using Seconds = std::chrono::duration<double>;  // before the difference, which may overflow
      const auto passed = Seconds(now) - Seconds(last_);
      left_ = std::min(per_second_, left_ + passed.count() * per_second_);
      last_ = now;
    }
    if (left_ < 1) return false;
    left_ -= 1;
    return true;
  }

 private:
  double per_second_;
  double left_;
  MonotonicTime last_{};
};

}  // namespace tapio
