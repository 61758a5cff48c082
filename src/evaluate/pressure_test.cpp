// SPDX-License-Identifier: Apache-2.0
#include "evaluate/pressure.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "incident.hpp"

namespace tapio {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;

// kT is when it happened.
CgroupMemory reading(MonotonicTime before, std::optional<Pressure> pressure,
                     std::optional<CpuThrottling> cpu = {},
                     std::optional<std::uint64_t> hits = {}) {
  return {.time = kT - before, .hits = hits, .pressure = pressure, .cpu = cpu};
}

class PressureBefore : public testing::Test {
 protected:
  [[nodiscard]] std::vector<std::string> lines() const { return pressure_before(7, kT, world); }
  StagedWorld world;
};

TEST_F(PressureBefore, what_says_nothing_is_not_told) {
  EXPECT_THAT(lines(), IsEmpty());
  world.pressed = {
      reading(9s, Pressure{.some = 9}, CpuThrottling{.periods = 10, .throttled = 0}, 5),
      reading(1s, Pressure{.some = 9}, CpuThrottling{.periods = 110, .throttled = 24}, 14)};
  world.node_pressed = {{.time = kT - 1s,
                         .memory = Pressure{.some = 9},
                         .cpu = Pressure{.some = 49},
                         .io = Pressure{.some = 39}}};
  EXPECT_THAT(lines(), IsEmpty());
}

TEST_F(PressureBefore, memory_is_told_by_the_latest_reading_that_has_it) {
  world.pressed = {reading(3s, Pressure{.some = 80, .full = 40}),
                   reading(2s, Pressure{.some = 42, .full = 12}), reading(1s, {})};
  EXPECT_THAT(
      lines(),
      ElementsAre("memory pressure before: tasks of the cgroup waited for memory 42 % of the "
                  "last 10 s, all of them at once 12 % (PSI, 2 s before)"));
}

TEST_F(PressureBefore, throttling_and_hits_are_differences) {
  world.pressed = {
      reading(9s, {}, CpuThrottling{.periods = 100, .throttled = 50, .time = 1s}, 1000),
      reading(1s, {}, CpuThrottling{.periods = 180, .throttled = 114, .time = 3s}, 1120)};
  EXPECT_THAT(lines(),
              ElementsAre("the cgroup came to its memory limit 120 times in 8 s (its counter, 1 s "
                          "before)",
                          "CPU was throttled in 80 % of periods, 2 s in all, in 8 s (cpu.stat, 1 s "
                          "before)"));
}

TEST_F(PressureBefore, what_is_too_old_or_later_does_not_count) {
  world.pressed = {reading(13s, Pressure{.some = 80}), reading(-1s, Pressure{.some = 80})};
  world.node_pressed = {{.time = kT - 13s, .memory = Pressure{.some = 80}},
                        {.time = kT + 1s, .memory = Pressure{.some = 80}}};
  EXPECT_THAT(lines(), IsEmpty());
}

TEST_F(PressureBefore, counters_that_begin_anew_are_no_difference) {
  world.pressed = {reading(9s, {}, CpuThrottling{.periods = 100, .throttled = 90}, 1000),
                   reading(1s, {}, CpuThrottling{.periods = 180, .throttled = 10}, 5)};
  EXPECT_THAT(lines(), IsEmpty());
}

TEST_F(PressureBefore, of_the_node_all_that_is_high_is_one_line) {
  world.node_pressed = {{.time = kT - 1s,
                         .memory = Pressure{.some = 30},
                         .cpu = Pressure{.some = 20},
                         .io = Pressure{.some = 60}}};
  EXPECT_THAT(lines(),
              ElementsAre("on the node tasks waited for memory 30 %, for a disk 60 % of the "
                          "last 10 s (PSI, 1 s before)"));
}

TEST_F(PressureBefore, it_is_the_first_that_a_story_says) {
  world.node_pressed = {{.time = kT - 1s, .memory = Pressure{.some = 30}}};
  Story story{.time = kT, .cgroup_id = 7, .chain = {"then"}};
  add_pressure(story, world);
  ASSERT_EQ(story.chain.size(), 2u);
  EXPECT_EQ(story.chain[1], "then");
}

}  // namespace
}  // namespace tapio
