// SPDX-License-Identifier: Apache-2.0
#include "dns_histogram.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <numeric>

namespace tapio::dns {

namespace {

constexpr std::size_t kExact = TAPIO_DNS_BUCKETS_EXACT, kParts = TAPIO_DNS_BUCKET_PARTS;
constexpr std::size_t kFinest = std::bit_width(kExact / kParts) - 1;  // of those behind the exact
static_assert(TAPIO_DNS_BUCKETS == kExact + (TAPIO_DNS_BUCKET_TOP - 4) * kParts);

// In microseconds, what is in a bucket: from the first on, so many.
struct Span {
  std::uint64_t first = 0, width = 1;
};

Span span_of(std::size_t bucket) {
  if (bucket < kExact) return {.first = bucket};
  const auto beyond = bucket - kExact;
  const auto shift = beyond / kParts + kFinest;
  return {.first = (kParts + beyond % kParts) << shift, .width = std::uint64_t{1} << shift};
}

std::chrono::nanoseconds middle_of(std::size_t bucket) {
  const Span span = span_of(bucket);
  return std::chrono::nanoseconds(span.first * 1'000 + span.width * 500);
}

}  // namespace

Histogram::Histogram(const Counts& counts, std::chrono::nanoseconds sum)
    : buckets_(counts),
      count_(std::accumulate(counts.begin(), counts.end(), std::uint64_t{0})),
      sum_(sum) {
  if (count_ == 0) return;
  const auto is_used = [](std::uint32_t count) { return count != 0; };
  const auto first = std::ranges::find_if(counts, is_used) - counts.begin();
  const auto last = std::ranges::find_if(counts.rbegin(), counts.rend(), is_used).base() - 1;
  const Span least = span_of(static_cast<std::size_t>(first));
  const Span most = span_of(static_cast<std::size_t>(last - counts.begin()));
  least_ = std::chrono::microseconds(least.first);
  most_ = std::chrono::microseconds(most.first + most.width);
}

void Histogram::add(std::chrono::nanoseconds duration) {
  least_ = count_ == 0 ? duration : std::min(least_, duration);
  most_ = std::max(most_, duration);
  sum_ += duration;
  count_++;
  buckets_[tapio_dns_bucket(
      static_cast<std::uint64_t>(std::max<std::int64_t>(duration.count(), 0)))]++;
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

std::array<std::uint64_t, Histogram::kPowers> Histogram::by_powers() const {
  std::array<std::uint64_t, kPowers> powers{};
  for (std::size_t bucket = 0; bucket < kBuckets; ++bucket)
    powers.at(static_cast<std::size_t>(std::bit_width(span_of(bucket).first))) += buckets_[bucket];
  return powers;
}

}  // namespace tapio::dns
