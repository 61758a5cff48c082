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
  EXPECT_GE(Clocks::read().boottime_ahead, 0ns);
}

constexpr auto kWall = 1'700'000'000s;

TEST(Clocks, of_a_machine_that_slept_give_what_was_before_its_own_time) {
  const auto awake = Clocks{.wall_ahead = kWall, .boottime_ahead = 0s}.after({}, 90s);
  const auto slept = Clocks{.wall_ahead = kWall + 1h, .boottime_ahead = 1h}.after(awake, 100s);
  EXPECT_EQ(slept.wall_ahead_at(99s), kWall) << "it happened before the machine slept";
  EXPECT_EQ(slept.wall_ahead_at(100s), kWall + 1h);
  EXPECT_EQ(slept.boottime_ahead_at(99s), 0s);
  EXPECT_EQ(slept.boottime_ahead_at(100s), 1h);
  const auto again =
      Clocks{.wall_ahead = kWall + 3h, .boottime_ahead = 3h}.after(slept.after(slept, 150s), 200s);
  EXPECT_EQ(again.wall_ahead_at(99s), kWall);
  EXPECT_EQ(again.wall_ahead_at(150s), kWall + 1h);
  EXPECT_EQ(again.wall_ahead_at(201s), kWall + 3h);
}

TEST(Clocks, of_a_wall_clock_that_was_set_correct_what_was_before_too) {
  const auto wrong = Clocks{.wall_ahead = 5s, .boottime_ahead = 0s}.after({}, 90s);
  const auto right = Clocks{.wall_ahead = kWall, .boottime_ahead = 0s}.after(wrong, 100s);
  EXPECT_EQ(right.wall_ahead_at(10s), kWall);
  const auto back = Clocks{.wall_ahead = kWall - 1h, .boottime_ahead = 0s}.after(right, 110s);
  EXPECT_EQ(back.wall_ahead_at(10s), kWall - 1h);
}

TEST(Clocks, that_were_read_once_know_of_no_suspend_before) {
  const auto first = Clocks{.wall_ahead = kWall, .boottime_ahead = 5h}.after({}, 100s);
  EXPECT_EQ(first.wall_ahead_at(1s), kWall);
}

TEST(Clocks, that_were_read_a_little_apart_are_no_suspend) {
  const auto before = Clocks{.wall_ahead = kWall, .boottime_ahead = 1h}.after({}, 1s);
  const auto after =
      Clocks{.wall_ahead = kWall, .boottime_ahead = 1h + Clocks::kShortest - 1ns}.after(before, 2s);
  EXPECT_EQ(after.wall_ahead_at(1s), kWall);
}

TEST(Clocks, remember_so_many_suspends_and_forget_the_oldest) {
  Clocks clocks = Clocks{.wall_ahead = kWall, .boottime_ahead = 0s}.after({}, 1s);
  const int all = Clocks::kSuspends + 1;
  for (int i = 1; i <= all; ++i)
    clocks = Clocks{.wall_ahead = kWall + i * 1h, .boottime_ahead = i * 1h}.after(clocks, i * 10s);
  EXPECT_EQ(clocks.wall_ahead_at(1s), kWall + 1h) << "the first is forgotten";
  EXPECT_EQ(clocks.wall_ahead_at(all * 10s), kWall + all * 1h);
}

}  // namespace
}  // namespace tapio
