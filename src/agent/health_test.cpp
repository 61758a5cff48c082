// SPDX-License-Identifier: Apache-2.0
#include "agent/health.hpp"

#include <gmock/gmock.h>

namespace tapio::agent {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

TEST(Health, an_observer_that_sees_everything_is_healthy) {
  const auto health = judge({.state = "on"});
  EXPECT_EQ(health.health, "healthy");
  EXPECT_THAT(health.why, IsEmpty());
}

TEST(Health, whose_facts_others_miss_though_it_is_switched_off_is_off_and_says_why) {
  const auto health =
      judge({.state = "denied", .reason = "open /dev/kmsg: not permitted", .asked = false});
  EXPECT_EQ(health.health, "off");
  EXPECT_THAT(health.why, ElementsAre("open /dev/kmsg: not permitted"));
}

TEST(Health, a_provider_says_for_whom_and_is_healthy) {
  const auto health = judge({.state = "provider", .reason = "facts for the story oom"});
  EXPECT_EQ(health.health, "healthy");
  EXPECT_THAT(health.why, ElementsAre("facts for the story oom"));
}

TEST(Health, what_nobody_asked_for_is_off_and_not_ill) {
  EXPECT_EQ(judge({.state = "off"}).health, "off");
}

TEST(Health, what_was_asked_for_and_does_not_run_is_unhealthy_and_says_why) {
  const auto health = judge({.state = "denied", .reason = "no CAP_BPF"});
  EXPECT_EQ(health.health, "unhealthy");
  EXPECT_THAT(health.why, ElementsAre("no CAP_BPF"));
  EXPECT_THAT(judge({.state = "failed"}).why, ElementsAre("failed"));
}

TEST(Health, each_thing_that_is_amiss_degrades_and_is_named) {
  EXPECT_EQ(judge({.state = "on", .reason = "without events"}).health, "degraded");
  const auto health =
      judge({.state = "on", .blind = {"forks are not seen"}, .unbalanced = true, .losing = true});
  EXPECT_EQ(health.health, "degraded");
  EXPECT_THAT(health.why,
              ElementsAre("forks are not seen", HasSubstr("ledger"), HasSubstr("lost")));
}

TEST(Health, a_loss_that_was_asked_for_is_none_to_worry_about) {
  EXPECT_TRUE(is_on_purpose("rate_limited"));
  EXPECT_TRUE(is_on_purpose("sampled_out"));
  EXPECT_FALSE(is_on_purpose("ring_full"));
  EXPECT_FALSE(is_on_purpose("missed"));
}

}  // namespace
}  // namespace tapio::agent
