// SPDX-License-Identifier: Apache-2.0
#include "capture/limiter.hpp"

#include <bpf/bpf.h>

#include <algorithm>

namespace tapio::capture {

namespace {

constexpr std::uint64_t kAhead = 32;  // slots, 2.1 s; the map has twice as many
constexpr std::uint64_t kSecond = 1'000'000'000;

}  // namespace

void Limiter::refill(MonotonicTime now) {
  const std::uint64_t current = static_cast<std::uint64_t>(now.count()) >> TAPIO_LIMITER_SHIFT;
  if (filled_ <= current) swept_ = filled_ = current;  // first call, or a stall: no arrears

  std::int64_t unused = 0;
  for (; swept_ < current; ++swept_) unused += std::max<std::int64_t>(0, read(key_of(swept_)));
  for (; filled_ <= current + kAhead; ++filled_) {
    fraction_ += per_second_ << TAPIO_LIMITER_SHIFT;
    write(key_of(filled_), static_cast<std::int64_t>(fraction_ / kSecond));
    fraction_ %= kSecond;
  }
  // A program that takes from it between the look and the writing is given that back.
  const auto saved = std::max<std::int64_t>(0, read(saved_));
  write(saved_, std::min(saved + unused, static_cast<std::int64_t>(per_second_)));
}

std::uint32_t Limiter::key_of(std::uint64_t slot) const {
  return first_ + static_cast<std::uint32_t>(slot % TAPIO_LIMITER_SLOTS);
}

std::int64_t Limiter::read(std::uint32_t key) const {
  std::int64_t budget = 0;
  bpf_map_lookup_elem(map_fd_, &key, &budget);
  return budget;
}

void Limiter::write(std::uint32_t key, std::int64_t budget) {
  bpf_map_update_elem(map_fd_, &key, &budget, BPF_ANY);
}

}  // namespace tapio::capture
