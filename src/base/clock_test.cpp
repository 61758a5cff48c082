// SPDX-License-Identifier: Apache-2.0
#include "base/clock.hpp"

#include <gtest/gtest.h>

namespace tapio {
namespace {

using namespace std::chrono_literals;

TEST(Rfc3339, writes_nanoseconds_in_utc) {
  EXPECT_EQ(rfc3339(0ns), "1970-01-01T00:00:00.000000000Z");
  EXPECT_EQ(rfc3339(1'795'226'584s + 5ns), "2026-11-21T02:03:04.000000005Z");
  EXPECT_EQ(rfc3339(951'782'400s + 999'999'999ns), "2000-02-29T00:00:00.999999999Z");
}

TEST(Rfc3339, a_time_before_the_epoch_counts_its_fraction_forward) {
  EXPECT_EQ(rfc3339(-1ns), "1969-12-31T23:59:59.999999999Z");
}

TEST(Rfc3339, takes_every_time_there_is) {
  EXPECT_EQ(rfc3339(std::chrono::nanoseconds::max()), "2262-04-11T23:47:16.854775807Z");
  EXPECT_EQ(rfc3339(std::chrono::nanoseconds::min()), "1677-09-21T00:12:43.145224192Z");
}

TEST(Rfc3339, appends) {
  std::string out = "at ";
  append_rfc3339(out, 0ns);
  EXPECT_EQ(out, "at 1970-01-01T00:00:00.000000000Z");
}

TEST(Clocks, monotonic_time_does_not_go_back) {
  const auto first = monotonic_now();
  EXPECT_GT(first, 0ns);
  EXPECT_GE(monotonic_now(), first);
}

TEST(Clocks, turn_monotonic_time_into_wall_time) {
  const auto wall = monotonic_now() + Clocks::read().wall_ahead;
  const auto system = std::chrono::system_clock::now().time_since_epoch();
  EXPECT_LT(std::chrono::abs(wall - system), 1min);
}

TEST(Clocks, boot_time_includes_what_was_slept) {
  EXPECT_GE(Clocks::read().boottime_ahead, -1ms);  // the clocks are read one after the other
}

}  // namespace
}  // namespace tapio
