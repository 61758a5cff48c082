// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <span>

#include "dns_latency.abi.h"

namespace tapio::dns {

// Durations in the buckets of dns_latency.abi.h: a quantile is off by 1/16 of itself at most, or by
// half a microsecond below 16.
class Histogram {
 public:
  static constexpr std::size_t kBuckets = TAPIO_DNS_BUCKETS;
  using Counts = std::array<std::uint32_t, kBuckets>;

  Histogram() = default;
  // Of durations that somebody else counted: least and most are edges of buckets.
  Histogram(const Counts& counts, std::chrono::nanoseconds sum);

  void add(std::chrono::nanoseconds duration);

  [[nodiscard]] std::uint64_t count() const { return count_; }
  // Of an empty one: 0. Exact where each duration was added.
  [[nodiscard]] std::chrono::nanoseconds least() const { return least_; }
  [[nodiscard]] std::chrono::nanoseconds most() const { return most_; }
  [[nodiscard]] std::chrono::nanoseconds mean() const;
  // The one that `part` of all, from 0 to 1, do not exceed.
  [[nodiscard]] std::chrono::nanoseconds quantile(double part) const;

  // How many took less than 2^n microseconds and no less than half of that, for each n.
  static constexpr std::size_t kPowers = TAPIO_DNS_BUCKET_TOP + 1;
  [[nodiscard]] std::array<std::uint64_t, kPowers> by_powers() const;

 private:
  Counts buckets_{};
  std::uint64_t count_ = 0;
  std::chrono::nanoseconds sum_{}, least_{}, most_{};
};

}  // namespace tapio::dns
