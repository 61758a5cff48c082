// SPDX-License-Identifier: Apache-2.0
#include "base/backoff.hpp"

#include <gtest/gtest.h>

namespace tapio {
namespace {

using namespace std::chrono_literals;

TEST(Backoffs, double_up_to_the_longest_and_lie_in_the_upper_half) {
  constexpr Backoff kBackoff{.first = 100ms, .longest = 1'000ms};
  const auto span = [&](unsigned failures) {
    auto least = 1'000'000ms, most = 0ms;
    for (std::uint32_t random = 0; random < 2'000; ++random) {
      least = std::min(least, kBackoff.after(failures, random));
      most = std::max(most, kBackoff.after(failures, random));
    }
    return std::pair(least, most);
  };
  EXPECT_EQ(span(1), std::pair(50ms, 100ms));
  EXPECT_EQ(span(2), std::pair(100ms, 200ms));
  EXPECT_EQ(span(4), std::pair(400ms, 800ms));
  EXPECT_EQ(span(5), std::pair(500ms, 1'000ms));
  EXPECT_EQ(span(~0u), std::pair(500ms, 1'000ms));
  EXPECT_EQ((Backoff{.first = 0ms, .longest = 0ms}.after(9, 12345)), 0ms);
}

}  // namespace
}  // namespace tapio
