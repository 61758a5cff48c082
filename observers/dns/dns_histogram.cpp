// SPDX-License-Identifier: Apache-2.0
#include "dns_histogram.hpp"

#include <algorithm>
#include <bit>
#include <cmath>

namespace tapio::dns {

namespace {

constexpr unsigned kFirst = 4;  // 2^4 us is where buckets get wider than one

std::size_t bucket_of(std::uint64_t us) {
  if (us < Histogram::kExact) return us;
  const auto power = static_cast<unsigned>(std::bit_width(us)) - 1;
  if (power >= Histogram::kTop) return Histogram::kBuckets - 1;
  const auto part = us >> (power - 3) & (Histogram::kParts - 1);
  return Histogram::kExact + (power - kFirst) * Histogram::kParts + part;
}

// Of what is in it.
std::chrono::nanoseconds middle_of(std::size_t bucket) {
  if (bucket < Histogram::kExact) return std::chrono::nanoseconds(bucket * 1'000 + 500);
  const auto beyond = bucket - Histogram::kExact;
  const auto shift = beyond / Histogram::kParts + kFirst - 3;
  const auto first = (Histogram::kParts + beyond % Histogram::kParts) << shift;
  return std::chrono::nanoseconds(first * 1'000 + (std::size_t{500} << shift));
}

}  // namespace

void Histogram::add(std::chrono::nanoseconds duration) {
  least_ = count_ == 0 ? duration : std::min(least_, duration);
  most_ = std::max(most_, duration);
  sum_ += duration;
  count_++;
  const auto us = std::chrono::duration_cast<std::chrono::microseconds>(duration).count();
  buckets_[bucket_of(static_cast<std::uint64_t>(std::max<std::int64_t>(us, 0)))]++;
}

std::chrono::nanoseconds Histogram::mean() const {
  return count_ == 0 ? std::chrono::nanoseconds{} : sum_ / static_cast<std::int64_t>(count_);
}

std::chrono::nanoseconds Histogram::quantile(double part) const {
  const auto wanted =
      std::max(1.0, std::ceil(std::clamp(part, 0.0, 1.0) * static_cast<double>(count_)));
  std::uint64_t below = 0;
  for (std::size_t bucket = 0; bucket < kBuckets; ++bucket) {
    below += buckets_[bucket];
    if (static_cast<double>(below) >= wanted) return std::clamp(middle_of(bucket), least_, most_);
  }
  return most_;
}

}  // namespace tapio::dns
