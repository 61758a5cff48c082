// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>

#include "attributed.hpp"

namespace tapio {
namespace {

using namespace std::chrono_literals;
using testing::Contains;
using testing::Each;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

TEST_F(Attributed, by_a_short_lived_kill_whose_ancestry_is_told) {
  start(kKill, kBash, "bash", kT - 3ms);
  exec(kKill, "kill", kT - 2ms, 10);
  hand(shot(kT - 200us, kKill, kNginx, SIGKILL, 11));
  leave(kKill, 0, kT - 100us, kBash);
  die(kNginx, SIGKILL, kT, 12);

  const auto story = only();

  EXPECT_EQ(story.title, "nginx (pid 900) was killed with SIGKILL by kill (pid 812)");
  EXPECT_EQ(story.entity, "nginx (pid 900)");
  EXPECT_EQ(story.cause.kind, "process");
  EXPECT_EQ(story.cause.entity, "kill (pid 812)");
  EXPECT_EQ(story.time, kT);
  EXPECT_GE(story.confidence, 0.95);
  EXPECT_THAT(
      story.chain,
      ElementsAre("systemd (pid 1) › sshd (pid 640) › bash (pid 700) started kill (pid 812)",
                  "kill (pid 812, user 0) sent SIGKILL to nginx (pid 900)",
                  "kill (pid 812) itself ended 0.1 ms after it had sent it",
                  "nginx (pid 900) was killed 0.2 ms after the signal; it had run for 8.3 min"));
  EXPECT_THAT(story.evidence, ElementsAre(RecordId{1, 10}, RecordId{1, 11}, RecordId{1, 12}));
}

TEST_F(Attributed, is_told_when_it_has_settled_and_once_only) {
  die(kNginx, SIGKILL);
  die(kNginx, SIGKILL, kT + 1ms);  // another thread saw it too
  settle(kT + 1199ms);
  EXPECT_THAT(told, IsEmpty());
  settle(kT + 1200ms);
  EXPECT_EQ(told.size(), 1u);
  die(kNginx, SIGKILL, kT + 2ms);
  settle(kT + 20s);
  EXPECT_EQ(told.size(), 1u);
}

TEST_F(Attributed, context_that_comes_after_the_death_is_used) {
  die(kNginx, SIGTERM);
  hand(shot(kT - 1ms, kKill, kNginx, SIGTERM));
  exec(kKill, "kill", kT - 2ms, 10);
  start(kKill, kBash, "bash", kT - 3ms);
  const auto story = only();
  EXPECT_EQ(story.cause.entity, "kill (pid 812)");
  EXPECT_THAT(story.chain[0], HasSubstr("bash (pid 700) started kill"));
}

TEST_F(Attributed, the_first_sigkill_wins_and_the_last_lethal_sigterm) {
  start(kKill, kBash, "kill");
  hand(shot(kT - 5ms, kBash, kNginx, SIGKILL));
  hand(shot(kT - 4ms, kKill, kNginx, SIGKILL));
  die(kNginx, SIGKILL);
  hand(shot(kT - 5ms, kBash, kSshd, SIGTERM));
  hand(shot(kT - 4ms, kKill, kSshd, SIGTERM));
  die(kSshd, SIGTERM);
  settle();

  ASSERT_EQ(told.size(), 2u);
  for (const auto& story : told) {
    EXPECT_LT(story.confidence, 0.8);
    EXPECT_GE(story.confidence, 0.5);
    EXPECT_THAT(story.chain, Contains(HasSubstr("1 other sent")));
  }
  EXPECT_EQ(told[0].cause.entity, "bash (pid 700)");
  EXPECT_EQ(told[1].cause.entity, "kill (pid 812)");
}

TEST_F(Attributed, a_signal_that_was_caught_gives_way_to_the_lethal_one_and_raises_no_doubt) {
  auto caught = shot(kT - 1ms, kSshd, kNginx, SIGTERM);
  caught.lethal = false;
  hand(shot(kT - 2ms, kBash, kNginx, SIGTERM));
  hand(caught);
  die(kNginx, SIGTERM);
  const auto story = only();
  EXPECT_EQ(story.cause.entity, "bash (pid 700)");
  EXPECT_GE(story.confidence, 0.95);
}

TEST_F(Attributed, signals_that_did_not_get_through_or_came_later_or_are_others_do_not_count) {
  for (const auto result :
       {SignalResult::ignored, SignalResult::already_pending, SignalResult::overflow_fail}) {
    auto fact = shot(kT - 1ms, kBash, kNginx, SIGTERM);
    fact.result = result;
    hand(fact);
  }
  hand(shot(kT - 1ms, kBash, kNginx, SIGHUP));
  hand(shot(kT + 1ms, kBash, kNginx, SIGTERM));
  hand(shot(kT - 1ms, kBash, kSshd, SIGTERM));
  die(kNginx, SIGTERM);
  const auto story = only();
  EXPECT_EQ(story.title, "nginx (pid 900) died by SIGTERM: cause unknown");
  EXPECT_EQ(story.cause.kind, "unknown");
  EXPECT_LT(story.confidence, 0.5);
  EXPECT_THAT(story.cause.detail, HasSubstr("no SIGTERM"));
}

TEST_F(Attributed, a_signal_whose_siginfo_was_lost_did_get_through) {
  auto fact = shot(kT - 1ms, kBash, kNginx, 40);
  fact.result = SignalResult::lose_info;
  hand(fact);
  die(kNginx, 40);
  EXPECT_EQ(only().cause.kind, "process");
}

TEST_F(Attributed, what_was_sent_to_a_former_owner_of_the_pid_does_not_count) {
  hand(shot(kT - 1s, kBash, {5, 100}, SIGKILL));
  die({5, 100}, SIGKILL, kT - 900ms);
  start({5, 200}, kInit, "second", kT - 500ms);
  die({5, 200}, SIGKILL);
  settle();
  ASSERT_EQ(told.size(), 2u);
  EXPECT_EQ(told[0].cause.kind, "process");
  EXPECT_EQ(told[1].title, "second (pid 5) died by SIGKILL: cause unknown");
}

TEST_F(Attributed, across_cgroups_and_pid_namespaces_is_said) {
  start({50, 50}, kInit, "inner", 600s, 77, 5);
  auto fact = shot(kT - 1ms, {50, 50}, kNginx, SIGKILL);
  fact.sender_cgroup_id = 3;
  fact.target_cgroup_id = 4;
  hand(fact);
  die(kNginx, SIGKILL);
  EXPECT_THAT(
      only().cause.detail,
      HasSubstr(", from another cgroup and from another pid namespace, where it has pid 5"));
}

TEST_F(Attributed, a_thread_directed_or_queued_signal_says_so) {
  auto fact = shot(kT - 1ms, kBash, kNginx, SIGUSR1);
  fact.by = SignalClass::tkill;
  hand(fact);
  die(kNginx, SIGUSR1);
  EXPECT_THAT(only().cause.detail,
              HasSubstr("sent SIGUSR1 to one thread of nginx (pid 900), with tgkill"));
}

TEST_F(Attributed, a_sender_nobody_knows_is_not_invented) {
  hand(shot(kT - 1ms, {}, kNginx, SIGKILL));
  die(kNginx, SIGKILL);
  const auto story = only();
  EXPECT_EQ(story.cause.kind, "process");
  EXPECT_EQ(story.cause.entity, "");
  EXPECT_LT(story.confidence, 0.7);
  EXPECT_THAT(story.chain, Each(Not(HasSubstr("user 0"))));
}

TEST_F(Attributed, a_user_id_that_is_not_known_is_not_said) {
  hand(shot(kT - 1ms, {77, 7}, kNginx, SIGKILL));
  die(kNginx, SIGKILL);
  const auto story = only();
  EXPECT_EQ(story.cause.entity, "thread (pid 77)");
  EXPECT_THAT(story.chain, Each(Not(HasSubstr("user"))));
}

TEST_F(Attributed, a_sender_that_has_executed_since_goes_by_the_name_it_had) {
  auto fact = shot(kT - 1ms, kBash, kNginx, SIGKILL);
  fact.sender_name = "bash";
  hand(fact);
  exec(kBash, "sleep", kT + 5ms, 10);
  die(kNginx, SIGKILL);
  EXPECT_EQ(only().cause.entity, "bash (pid 700)");
}

TEST_F(Attributed, who_was_only_forked_goes_by_the_name_that_it_took) {
  fork({6, 60}, kNginx, "nginx");
  fork({7, 70}, kNginx, "nginx");
  auto fact = shot(kT - 1ms, {6, 60}, {7, 70}, SIGKILL);
  fact.sender_name = "nginx-cleaner";
  hand(fact);
  die({7, 70}, SIGKILL);  // "leaving"
  EXPECT_EQ(only().title, "leaving (pid 7) was killed with SIGKILL by nginx-cleaner (pid 6)");
}

TEST_F(Attributed, a_name_that_is_missing_is_taken_from_what_else_is_known) {
  fork({6, 60}, kNginx, "nginx");
  fork({7, 70}, kNginx, "nginx");
  auto fact = shot(kT - 1ms, {6, 60}, {7, 70}, SIGKILL);
  fact.sender_name = "";
  hand(fact);
  auto nameless = death({7, 70}, SIGKILL);
  nameless.name = "";
  hand(nameless);
  EXPECT_EQ(only().title, "nginx (pid 7) was killed with SIGKILL by nginx (pid 6)");
}

TEST_F(Attributed, the_steps_are_in_the_order_in_which_they_happened) {
  start(kKill, kBash, "kill");
  hand(shot(kT - 2ms, kKill, kNginx, SIGKILL));
  die(kNginx, SIGKILL);
  leave(kKill, 0, kT + 1ms, kBash);
  const auto story = only();
  ASSERT_GE(story.chain.size(), 2u);
  EXPECT_THAT(story.chain.end()[-2], HasSubstr("was killed 2 ms after the signal"));
  EXPECT_EQ(story.chain.back(), "kill (pid 812) itself ended 3 ms after it had sent it");
}

TEST_F(Attributed, a_parent_that_was_ending_did_it_by_parent_death_signal) {
  leave(kBash, 0, kT - 2ms);
  hand(shot(kT - 1ms, kBash, kNginx, SIGTERM));
  die(kNginx, SIGTERM);
  EXPECT_THAT(only().chain, Contains(HasSubstr("PR_SET_PDEATHSIG")));
}

TEST_F(Attributed, a_crowd_of_senders_makes_less_sure) {
  for (std::uint32_t i = 1; i <= 20; ++i) hand(shot(kT - 1ms, {i + 2000, i}, kNginx, SIGUSR1));
  hand(shot(kT - 1us, kBash, kNginx, SIGTERM));
  die(kNginx, SIGTERM);
  const auto story = only();
  EXPECT_EQ(story.cause.entity, "bash (pid 700)");
  EXPECT_LE(story.confidence, 0.7);
}

}  // namespace
}  // namespace tapio
