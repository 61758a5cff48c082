// SPDX-License-Identifier: Apache-2.0
#include "evaluate/background.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "incident.hpp"

namespace tapio {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

class Background : public testing::Test {
 protected:
  Background() { world.known.watching(1s); }
  Story told() {
    Story story{.time = kT, .cgroup_id = 7, .evidence = {{1, 5}}};
    add_changes(story, world);
    add_missing(story, world, lost);
    return story;
  }
  void change(Change::What what, MonotonicTime time, std::string text, std::uint64_t evidence = 0) {
    world.all_changes.push_back({.what = what,
                                 .time = time,
                                 .cgroup_id = 7,
                                 .text = std::move(text),
                                 .evidence = {evidence ? 1u : 0u, evidence}});
  }

  StagedWorld world;
  Losses lost;
};

TEST_F(Background, what_changed_is_told_the_most_telling_first_and_when) {
  change(Change::What::executable, kT - 1min, "a ran");
  change(Change::What::limit, kT - 9min, "memory.max went down");
  change(Change::What::executable, kT - 1s, "b ran");
  change(Change::What::credentials, kT - 5s, "c became root");
  EXPECT_THAT(told().changes,
              ElementsAre("memory.max went down, 9 min before", "c became root, 5 s before",
                          "b ran, 1 s before", "a ran, 60 s before"));
}

TEST_F(Background, changes_elsewhere_elsewhen_or_of_the_story_itself_are_left_out) {
  change(Change::What::executable, kT - 1s, "the killer ran", 5);
  change(Change::What::executable, kT - 11min, "long ago");
  change(Change::What::executable, kT + 1s, "after");
  change(Change::What::executable, kT - 1s, "elsewhere");
  world.all_changes.back().cgroup_id = 8;
  EXPECT_THAT(told().changes, IsEmpty());
}

TEST_F(Background, many_changes_become_a_number) {
  for (int i = 0; i < 12; ++i) change(Change::What::executable, kT - 1s * i, fmt::format("{}", i));
  const auto changes = told().changes;
  ASSERT_THAT(changes, SizeIs(kMaxChangesTold + 1));
  EXPECT_EQ(changes[0], "0, 0 ns before");
  EXPECT_EQ(changes.back(), "and 7 more");
}

TEST_F(Background, nothing_is_missing_when_all_was_seen) {
  EXPECT_THAT(told().missing, IsEmpty());
}

TEST_F(Background, a_young_agent_says_so) {
  world.known.watching(kT - 40s);
  EXPECT_THAT(told().missing,
              ElementsAre("watching since only 40 s before, so older changes are not known"));
  world.known.watching(0s);
  EXPECT_THAT(told().missing, ElementsAre("it is not known since when all is seen"));
}

TEST_F(Background, losses_around_it_are_named_and_others_not) {
  lost.note({.from = kT - 5s, .to = kT - 4s, .count = 12});
  lost.note({.from = kT - 50s, .to = kT - 40s, .count = 7});
  EXPECT_THAT(told().missing, ElementsAre("12 records were lost in the 30 s before"));
}

TEST_F(Background, blind_spots_are_named_up_to_a_number) {
  world.blind = {"a", "b", "c", "d", "e", "f"};
  EXPECT_THAT(told().missing, ElementsAre("a", "b", "c", "d", "and 2 more"));
}

}  // namespace
}  // namespace tapio
