// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "base/clock.hpp"
#include "bpf/abi.h"

namespace tapio::capture {

// A rate for one event class, for the whole node. Programs take from the slot of now and never
// give back; this side fills the slots ahead, and saves what was left of those that are over, at
// most a second's worth, so that a burst after quiet is let through. If it stops, they run dry: the
// storm is refused, and counted, not let through.
class Limiter {
 public:
  Limiter(int map_fd, tapio_class event_class, std::uint32_t per_second)
      : map_fd_(map_fd),
        first_(event_class * TAPIO_LIMITER_SLOTS),
        saved_(TAPIO_LIMITER_SAVED(event_class)),
        per_second_(per_second) {}

  // Once before attaching, then at least once a second.
  void refill(MonotonicTime now);

 private:
  [[nodiscard]] std::uint32_t key_of(std::uint64_t slot) const;
  [[nodiscard]] std::int64_t read(std::uint32_t key) const;
  void write(std::uint32_t key, std::int64_t budget);

  int map_fd_;
  std::uint32_t first_;
  std::uint32_t saved_;
  std::uint64_t per_second_;
  std::uint64_t swept_ = 0;     // slots below it are over and their rest is taken
  std::uint64_t filled_ = 0;    // slots below it have their share
  std::uint64_t fraction_ = 0;  // of an event, in slot nanoseconds
};

}  // namespace tapio::capture
