// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "base/clock.hpp"
#include "bpf/abi.h"

namespace tapio::capture {

// A rate for one event class, for the whole node. Programs take from the slot of now and never
// give back; this side fills the slots ahead. If it stops, they run dry: the storm is refused,
// and counted, not let through.
class Limiter {
 public:
  Limiter(int map_fd, tapio_class event_class, std::uint32_t per_second)
      : map_fd_(map_fd), first_(event_class * TAPIO_LIMITER_SLOTS), per_second_(per_second) {}

  // Once before attaching, then at least once a second.
  void refill(MonotonicTime now);

 private:
  [[nodiscard]] std::int64_t left(std::uint64_t slot) const;
  void put(std::uint64_t slot, std::int64_t budget);

  int map_fd_;
  std::uint32_t first_;
  std::uint64_t per_second_;
  std::uint64_t swept_ = 0;     // slots below it are over and their rest is taken
  std::uint64_t filled_ = 0;    // slots below it have their share
  std::uint64_t fraction_ = 0;  // of an event, in slot nanoseconds
};

}  // namespace tapio::capture
