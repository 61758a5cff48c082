// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <csignal>

#include "attributed.hpp"

namespace tapio {
namespace {

using namespace std::chrono_literals;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

TEST_F(Attributed, who_catches_a_signal_and_raises_it_again_was_killed_by_its_sender) {
  auto caught = shot(kT - 5ms, kBash, kNginx, SIGTERM, 11);
  caught.lethal = false;
  hand(caught);
  hand(shot(kT - 1ms, kNginx, kNginx, SIGTERM, 12));
  die(kNginx, SIGTERM);
  const auto story = only();
  EXPECT_EQ(story.cause.kind, "process");
  EXPECT_EQ(story.cause.entity, "bash (pid 700)");
  EXPECT_THAT(story.chain, Contains(HasSubstr("caught SIGTERM and then sent it to itself")));
}

TEST_F(Attributed, a_healthy_end_is_no_story) {
  leave(kNginx, 0);
  leave(kSshd, 1);
  leave(kBash, 128);
  leave({3, 3}, 128 + SIGCHLD);
  leave({4, 4}, 255);
  leave({5, 5}, 128 + 40);
  settle();
  EXPECT_THAT(told, IsEmpty());
}

TEST_F(Attributed, a_status_137_that_nobody_caused_was_its_own) {
  leave(kNginx, 137);
  const auto story = only();
  EXPECT_EQ(story.title, "nginx (pid 900) exited with status 137 by itself: nobody killed it");
  EXPECT_EQ(story.cause.kind, "self");
  EXPECT_EQ(story.cause.detail, "exited by itself with status 137; no signal killed it");
  EXPECT_THAT(story.evidence, ElementsAre(RecordId{1, 99}));
  EXPECT_GE(story.confidence, 0.95);
}

TEST_F(Attributed, a_shell_passes_on_what_its_child_died_of) {
  start({6, 60}, kNginx, "python", 900s);
  hand(shot(kT - 3ms, kBash, {6, 60}, SIGKILL, 11));
  die({6, 60}, SIGKILL, kT - 2ms, 12, kNginx);
  leave(kNginx, 137);
  settle();

  ASSERT_EQ(told.size(), 2u);
  EXPECT_EQ(told[1].title,
            "nginx (pid 900) exited with status 137 because its child python (pid 6) was killed "
            "with SIGKILL by bash (pid 700)");
  EXPECT_EQ(told[1].cause.kind, "self");
  EXPECT_THAT(told[1].chain, Contains(HasSubstr("sent SIGKILL to python (pid 6)")));
  EXPECT_THAT(told[1].chain.back(), HasSubstr("exited by itself with status 137, 2 ms later"));
  EXPECT_THAT(told[1].evidence, ElementsAre(RecordId{1, 11}, RecordId{1, 12}, RecordId{1, 99}));
}

TEST_F(Attributed, a_shell_of_a_shell_passes_on_too_within_bounds) {
  const std::uint32_t generations = 8;
  for (std::uint32_t i = 1; i <= generations; ++i)
    start({i + 1000, i}, i == 1 ? kInit : ProcessId{i + 999, i - 1}, "sh");
  hand(shot(kT, kBash, {1000 + generations, generations}, SIGKILL));
  die({1000 + generations, generations}, SIGKILL, kT, 1, {999 + generations, generations - 1});
  for (std::uint32_t i = generations - 1; i >= 1; --i)
    leave({1000 + i, i}, 137, kT + 1ms * (generations - i), {999 + i, i - 1});
  settle(kT + 2s);
  ASSERT_EQ(told.size(), generations);
  EXPECT_THAT(told[4].title, HasSubstr("SIGKILL by bash (pid 700)"));
  EXPECT_THAT(told[7].title, HasSubstr("not followed further"));
}

TEST_F(Attributed, the_death_of_a_child_that_does_not_match_is_not_passed_on) {
  die({6, 60}, SIGTERM, kT - 2ms, 12, kNginx);  // another signal
  die({7, 70}, SIGKILL, kT - 11s, 12, kNginx);  // long before
  die({8, 80}, SIGKILL, kT + 1ms, 12, kNginx);  // after
  die({9, 90}, SIGKILL, kT - 1ms, 12, kBash);   // another's child
  leave(kNginx, 137);
  settle();
  const auto& own = *std::ranges::find(told, "nginx (pid 900)", &Story::entity);
  EXPECT_THAT(own.title, HasSubstr("by itself: nobody killed it"));
}

TEST_F(Attributed, who_catches_a_signal_and_exits_accordingly_did_so_after_its_sender) {
  auto caught = shot(kT - 5ms, kBash, kNginx, SIGTERM, 11);
  caught.lethal = false;
  hand(caught);
  leave(kNginx, 143);
  const auto story = only();
  EXPECT_EQ(story.title,
            "nginx (pid 900) exited with status 143 after SIGTERM from bash (pid 700)");
  EXPECT_EQ(story.cause.kind, "process");
  EXPECT_THAT(story.evidence, ElementsAre(RecordId{1, 11}, RecordId{1, 99}));
}

TEST_F(Attributed, a_signal_of_long_ago_is_no_cause) {
  hand(caught(kT - 40s, kBash, kNginx, SIGUSR2));
  hand(caught(kT - 131s, kBash, kNginx, SIGTERM));
  hand(shot(kT - 1s, kBash, kNginx, SIGUSR1));  // keeps the target remembered
  leave(kNginx, 128 + SIGUSR2);
  EXPECT_EQ(only().cause.kind, "self");
  hand(caught(kT - 121s, kBash, kSshd, SIGTERM));
  leave(kSshd, 143);
  settle();
  EXPECT_EQ(told.back().cause.kind, "self");
}

TEST_F(Attributed, who_needs_long_to_end_when_asked_still_ended_for_that) {
  hand(caught(kT - 90s, kBash, kNginx, SIGTERM, 11));
  settle(kT - 1s);
  leave(kNginx, 143);
  const auto story = only();
  EXPECT_EQ(story.cause.kind, "process");
  EXPECT_EQ(story.title,
            "nginx (pid 900) exited with status 143 after SIGTERM from bash (pid 700)");
  EXPECT_THAT(story.evidence, ElementsAre(RecordId{1, 11}, RecordId{1, 99}));
}

TEST_F(Attributed, who_ends_with_any_status_after_it_was_asked_was_asked) {
  hand(caught(kT - 2s, kBash, kNginx, SIGTERM, 11));
  leave(kNginx, 0);
  settle();
  ASSERT_EQ(ends.size(), 1u);
  const Ending& end = ends.front();
  EXPECT_EQ(end.by, By::process);
  EXPECT_TRUE(end.caught);
  EXPECT_EQ(end.cause_signal, SIGTERM);
  ASSERT_TRUE(end.asked);
  EXPECT_EQ(end.asked->sender, kBash);
  EXPECT_EQ(end.asked->time, kT - 2s);
  EXPECT_EQ(end.draft.severity, Severity::info);
  EXPECT_EQ(end.lived, 500s);
  EXPECT_THAT(end.draft.chain,
              Contains(HasSubstr("by itself with status 0, 2 s after the signal")));
}

TEST_F(Attributed, a_hangup_long_before_an_exit_was_for_something_else) {
  hand(caught(kT - 6s, kBash, kNginx, SIGHUP));
  leave(kNginx, 0);
  hand(caught(kT - 4s, kBash, kSshd, SIGHUP));
  leave(kSshd, 0);
  const auto story = only();
  EXPECT_EQ(story.entity, "sshd (pid 640)");
  EXPECT_LT(story.confidence, 0.8);
}

TEST_F(Attributed, who_asks_itself_was_not_asked) {
  hand(caught(kT - 1ms, kNginx, kNginx, SIGTERM));
  leave(kNginx, 0);
  settle();
  EXPECT_THAT(ends, IsEmpty());
}

TEST_F(Attributed, a_sender_that_was_not_obeyed_kills) {
  hand(caught(kT - 10s, kBash, kNginx, SIGTERM, 11));
  hand(shot(kT, kBash, kNginx, SIGKILL, 12));
  die(kNginx, SIGKILL);
  const auto story = only();
  EXPECT_EQ(story.title,
            "nginx (pid 900) was killed with SIGKILL by bash (pid 700): it had been asked with "
            "SIGTERM 10 s before and did not end");
  EXPECT_EQ(story.severity, Severity::warning);
  EXPECT_THAT(story.chain.front(), HasSubstr("nginx (pid 900) had been asked with SIGTERM"));
  EXPECT_EQ(story.evidence.front(), (RecordId{1, 11}));
}

TEST_F(Attributed, what_another_one_asked_is_not_what_the_killer_asked) {
  hand(caught(kT - 10s, kSshd, kNginx, SIGTERM, 11));
  hand(shot(kT, kBash, kNginx, SIGKILL, 12));
  die(kNginx, SIGKILL);
  EXPECT_EQ(only().title, "nginx (pid 900) was killed with SIGKILL by bash (pid 700)");
}

TEST_F(Attributed, helpers_of_one_runtime_are_one_hand) {
  const ProcessId first{50, 500}, second{51, 510};
  start(first, kSshd, "runc", kT - 11s);
  start(second, kSshd, "runc", kT - 1s);
  auto term = caught(kT - 10s, first, kNginx, SIGTERM);
  auto kill = shot(kT, second, kNginx, SIGKILL);
  for (auto* fact : {&term, &kill}) {
    fact->sender_cgroup_id = 3;
    fact->target_cgroup_id = 4;
    hand(*fact);
  }
  die(kNginx, SIGKILL);
  EXPECT_THAT(only().title, HasSubstr("asked with SIGTERM 10 s before and did not end"));
}

}  // namespace
}  // namespace tapio
