// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <chrono>
#include <cstdint>

namespace tapio::dns {

// Durations in buckets of an eighth of a power of two, in microseconds: a quantile is off by 1/16
// of itself at most, or by half a microsecond below 16. Least, mean and most are exact.
class Histogram {
 public:
  static constexpr unsigned kTop = 27;  // from 2^27 us on, 134 s, there is one bucket
  static constexpr std::size_t kExact = 16, kParts = 8;
  static constexpr std::size_t kBuckets = kExact + (kTop - 4) * kParts;

  void add(std::chrono::nanoseconds duration);

  [[nodiscard]] std::uint64_t count() const { return count_; }
  // Of an empty one: 0.
  [[nodiscard]] std::chrono::nanoseconds least() const { return least_; }
  [[nodiscard]] std::chrono::nanoseconds most() const { return most_; }
  [[nodiscard]] std::chrono::nanoseconds mean() const;
  // The one that `part` of all, from 0 to 1, do not exceed.
  [[nodiscard]] std::chrono::nanoseconds quantile(double part) const;

 private:
  std::array<std::uint32_t, kBuckets> buckets_{};
  std::uint64_t count_ = 0;
  std::chrono::nanoseconds sum_{}, least_{}, most_{};
};

}  // namespace tapio::dns
