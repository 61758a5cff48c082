// SPDX-License-Identifier: Apache-2.0
#include "evaluate/detections.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tapio {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;

Detected storm(std::uint64_t count, MonotonicTime time, std::uint32_t pid = 7) {
  return {.time = time,
          .evidence = {1, 5},
          .what = Detection::signal_storm,
          .process = {pid, 70},
          .process_name = "flooder",
          .count = count,
          .window = 2s};
}

TEST(Incidents, are_told_when_they_begin_and_when_they_have_doubled) {
  Incidents incidents;
  EXPECT_TRUE(incidents.is_news(storm(100, 1min)));
  EXPECT_FALSE(incidents.is_news(storm(199, 2min)));
  EXPECT_TRUE(incidents.is_news(storm(200, 3min)));
  EXPECT_FALSE(incidents.is_news(storm(399, 4min)));
  EXPECT_TRUE(incidents.is_news(storm(10, 4min, 8))) << "another process";
  EXPECT_TRUE(incidents.is_news(storm(100, 20min))) << "long after the end of the first";
}

TEST(Incidents, a_crash_loop_is_known_by_its_first_death) {
  Incidents incidents;
  const RecordId first[] = {{1, 1}, {1, 2}}, other[] = {{1, 9}};
  auto loop = storm(3, 1min);
  loop.what = Detection::crash_loop;
  loop.because = first;
  EXPECT_TRUE(incidents.is_news(loop));
  loop.process = {8, 80};
  loop.count = 4;
  EXPECT_FALSE(incidents.is_news(loop));
  loop.because = other;
  EXPECT_TRUE(incidents.is_news(loop));
}

TEST(Incidents, are_bounded) {
  Incidents incidents;
  for (std::uint32_t pid = 1; pid <= Incidents::kMost + 1; ++pid)
    EXPECT_TRUE(incidents.is_news(storm(100, 1min, pid)));
  EXPECT_TRUE(incidents.is_news(storm(100, 1min, 1))) << "the oldest was forgotten";
  EXPECT_FALSE(incidents.is_news(storm(100, 1min, Incidents::kMost)));
}

TEST(StoryOf, has_the_finding_first_and_then_what_it_rests_on) {
  const RecordId because[] = {{1, 1}, {1, 2}};
  auto detected = storm(100, 1min);
  detected.because = because;
  detected.cgroup_id = 5;
  const Story story = story_of(detected);
  EXPECT_EQ(story.entity, "flooder (pid 7)");
  EXPECT_EQ(story.process, (ProcessId{7, 70}));
  EXPECT_EQ(story.cgroup_id, 5u);
  EXPECT_THAT(story.evidence, ElementsAre(RecordId{1, 5}, RecordId{1, 1}, RecordId{1, 2}));
  EXPECT_EQ(often(detected), "100 times in 2 s");
}

}  // namespace
}  // namespace tapio
