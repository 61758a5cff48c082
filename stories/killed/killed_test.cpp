// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>

#include "incident.hpp"

namespace tapio::killed {

extern const RuleDescriptor descriptor;

namespace {

using namespace std::chrono_literals;
using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

constexpr const RuleDescriptor* kRules[] = {&descriptor};

class Killed : public IncidentInEngine {
 protected:
  Killed() : IncidentInEngine(kRules) {}
};

TEST_F(Killed, is_told_as_it_was_found_out_under_the_name_of_the_rule) {
  hand(shot(kT - 1ms, kBash, kNginx, SIGKILL, 11));
  die(kNginx, SIGKILL, kT, 12);
  const auto story = only();
  EXPECT_EQ(story.title, "nginx (pid 900) was killed with SIGKILL by bash (pid 700)");
  EXPECT_EQ(story.rule, "killed");
  EXPECT_EQ(story.severity, Severity::warning);
  EXPECT_EQ(story.process, kNginx);
}

TEST_F(Killed, by_a_process_it_is_told_what_was_waited_for_before) {
  world.pressed = {{.time = kT - 2s, .pressure = Pressure{.some = 42, .full = 3}}};
  hand(shot(kT - 1ms, kBash, kNginx, SIGKILL));
  die(kNginx, SIGKILL);
  leave(kSshd, 137);
  settle();
  ASSERT_EQ(told.size(), 2u);
  EXPECT_THAT(told[0].chain.at(0), HasSubstr("waited for memory 42 % of the last 10 s"));
  EXPECT_THAT(told[1].chain, Not(Contains(HasSubstr("waited"))));
}

TEST_F(Killed, by_itself_by_its_timer_by_nobody_and_who_knows_are_told) {
  hand(shot(kT - 1ms, kNginx, kNginx, SIGABRT));
  die(kNginx, SIGABRT);
  auto timer = shot(kT - 1ms, {}, kSshd, SIGALRM);
  timer.by = SignalClass::timer;
  hand(timer);
  die(kSshd, SIGALRM);
  leave(kBash, 137);
  die(kKill, SIGKILL);
  settle();
  ASSERT_EQ(told.size(), 4u);
  EXPECT_EQ(told[0].cause.kind, "self");
  EXPECT_EQ(told[1].cause.kind, "timer");
  EXPECT_THAT(told[2].title, HasSubstr("nobody killed it"));
  EXPECT_EQ(told[3].cause.kind, "unknown");
}

TEST_F(Killed, a_status_that_is_passed_on_is_told) {
  start({6, 60}, kNginx, "python", 900s);
  hand(shot(kT - 3ms, kBash, {6, 60}, SIGKILL, 11));
  die({6, 60}, SIGKILL, kT - 2ms, 12, kNginx);
  leave(kNginx, 137);
  settle();
  ASSERT_EQ(told.size(), 2u);
  EXPECT_THAT(told[1].title, HasSubstr("because its child python (pid 6) was killed"));
}

TEST_F(Killed, what_the_kernel_does_and_what_was_asked_for_is_left_to_others) {
  hand(by_kernel(kT - 1ms, kNginx, SIGKILL));
  die(kNginx, SIGKILL);
  hand(OomKilled{.time = kT - 1ms, .evidence = {1, 1}, .victim = kSshd, .name = "sshd"});
  die(kSshd, SIGKILL);
  hand(caught(kT - 1s, kSshd, kBash, SIGTERM));
  leave(kBash, 143);
  settle();
  EXPECT_THAT(told, IsEmpty());
}

TEST_F(Killed, a_writer_to_a_closed_pipe_is_no_story_unless_somebody_sent_it) {
  hand(shot(kT - 1ms, kNginx, kNginx, SIGPIPE));
  die(kNginx, SIGPIPE);
  hand(by_kernel(kT - 1ms, kSshd, SIGPIPE));
  die(kSshd, SIGPIPE);
  leave({3, 3}, 128 + SIGPIPE);
  settle();
  EXPECT_THAT(told, IsEmpty());

  hand(shot(kT + 2s, kInit, kBash, SIGPIPE));
  die(kBash, SIGPIPE, kT + 2s);
  EXPECT_EQ(only(kT + 4s).cause.kind, "process");
}

TEST_F(Killed, the_descriptor_makes_the_rule_and_needs_what_endings_are_made_of) {
  EXPECT_EQ(stories.needs(), kEndingFacts);
  hand(death(kNginx, SIGKILL));
  settle();
  EXPECT_EQ(stories.count(), 1u);
}

}  // namespace
}  // namespace tapio::killed
