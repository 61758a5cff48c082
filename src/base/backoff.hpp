// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>

namespace tapio {

// How long to wait before trying again.
struct Backoff {
  std::chrono::milliseconds first{100};
  std::chrono::milliseconds longest{30'000};

  // After `failures` in a row: doubles from the first delay up to the longest, of which between
  // half and all, as `random` (any number) says, so that the agents of many nodes do not return
  // together.
  [[nodiscard]] std::chrono::milliseconds after(unsigned failures, std::uint32_t random) const {
    auto delay = std::min(first, longest);
    for (unsigned i = 1; i < failures && delay < longest; ++i) delay = std::min(2 * delay, longest);
    const auto half = delay / 2;
    return half + std::chrono::milliseconds(random % ((delay - half).count() + 1));
  }
};

}  // namespace tapio
