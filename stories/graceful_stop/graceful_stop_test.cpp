// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>

#include "incident.hpp"

namespace tapio::graceful_stop {

extern const RuleDescriptor descriptor;

namespace {

using namespace std::chrono_literals;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr const RuleDescriptor* kRules[] = {&descriptor};

class GracefulStop : public IncidentInEngine {
 protected:
  GracefulStop() : IncidentInEngine(kRules) {}
};

TEST_F(GracefulStop, says_who_asked_and_how_long_it_took) {
  hand(caught(kT - 1200ms, kBash, kNginx, SIGTERM, 11));
  leave(kNginx, 0, kT, kInit, 12);
  const auto story = only();
  EXPECT_EQ(story.title,
            "nginx (pid 900) stopped when asked with SIGTERM by bash (pid 700), in 1.2 s");
  EXPECT_EQ(story.severity, Severity::info);
  EXPECT_EQ(story.cause.kind, "process");
  EXPECT_EQ(story.cause.entity, "bash (pid 700)");
  EXPECT_THAT(story.chain, Contains(HasSubstr("exited by itself with status 0")));
  EXPECT_THAT(story.evidence, ElementsAre(RecordId{1, 11}, RecordId{1, 12}));
}

TEST_F(GracefulStop, another_status_than_0_is_in_the_title) {
  hand(caught(kT - 1200ms, kBash, kNginx, SIGINT));
  leave(kNginx, 3);
  EXPECT_EQ(only().title, "nginx (pid 900) exited with status 3 after SIGINT from bash (pid 700)");
}

TEST_F(GracefulStop, who_says_with_its_end_that_it_was_a_signal_is_told_however_short_it_lived) {
  start({6, 60}, kBash, "short", kT - 1s);
  hand(caught(kT - 1ms, kBash, {6, 60}, SIGTERM));
  leave({6, 60}, 143, kT, kBash);
  start({7, 70}, kBash, "short", kT - 1s);
  hand(caught(kT - 2ms, kBash, {7, 70}, SIGTERM));
  hand(shot(kT - 1ms, {7, 70}, {7, 70}, SIGTERM));
  die({7, 70}, SIGTERM, kT, 1, kBash);
  settle();
  ASSERT_EQ(told.size(), 2u);
  EXPECT_EQ(told[0].title,
            "short (pid 6) exited with status 143 after SIGTERM from bash (pid 700)");
  EXPECT_EQ(told[1].title, "short (pid 7) was killed with SIGTERM by bash (pid 700)");
  for (const auto& story : told) EXPECT_EQ(story.severity, Severity::info);
}

TEST_F(GracefulStop, helpers_are_no_story) {
  start({6, 60}, kSshd, "short", kT - 9s);
  hand(caught(kT - 1ms, kBash, {6, 60}, SIGTERM));
  leave({6, 60}, 0, kT, kSshd);
  start({7, 70}, kBash, "child", kT - 100s);  // stopped by its own parent
  hand(caught(kT - 1ms, kBash, {7, 70}, SIGTERM));
  leave({7, 70}, 0, kT, kBash);
  auto key = by_kernel(kT - 1ms, kNginx, SIGINT);  // ping(8)
  key.lethal = false;
  hand(key);
  leave(kNginx, 0);
  settle();
  EXPECT_THAT(told, IsEmpty());
}

TEST_F(GracefulStop, of_a_service_the_main_process_is_told) {
  world.cgroups[7] = {.id = 7, .path = "/system.slice/a.service", .unit = "a.service"};
  start({60, 60}, kInit, "main", kT - 5s, 1, 0, 7);
  start({61, 61}, {60, 60}, "worker", kT - 100s, 1, 0, 7);
  for (const std::uint32_t pid : {61, 60}) {
    hand(caught(kT - 1s, kInit, {pid, pid}, SIGTERM));
    leave({pid, pid}, 0, kT, kInit, 99, 7);
  }
  const auto story = only();
  EXPECT_EQ(story.title,
            "main (pid 60) stopped when asked with SIGTERM by systemd (pid 1), in 1 s");
  EXPECT_THAT(story.impact,
              ElementsAre("its child worker (pid 61) exited with status 0, at the same time"));
}

TEST_F(GracefulStop, who_had_to_be_killed_did_not_stop) {
  hand(caught(kT - 10s, kBash, kNginx, SIGTERM));
  hand(shot(kT - 1ms, kBash, kNginx, SIGKILL));
  die(kNginx, SIGKILL);
  settle();
  EXPECT_THAT(told, IsEmpty());
}

}  // namespace
}  // namespace tapio::graceful_stop
