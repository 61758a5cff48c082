// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>

#include "attributed.hpp"
#include "evaluate/deaths.hpp"
#include "evaluate/signal_memory.hpp"

namespace tapio {
namespace {

using namespace std::chrono_literals;
using testing::Contains;
using testing::HasSubstr;

TEST_F(Attributed, why_a_cause_is_unknown_is_said) {
  KnownWorld late;
  late.watching(kT - 2s);
  endings.on_fact(death(kNginx, SIGKILL), late, keep());
  endings.on_time(kT + 2s, late, keep());
  ASSERT_EQ(told.size(), 1u);
  EXPECT_THAT(told[0].cause.detail, HasSubstr("only since 2 s before"));

  KnownWorld never;
  endings.on_fact(death(kSshd, SIGKILL), never, keep());
  endings.on_time(kT + 2s, never, keep());
  ASSERT_EQ(told.size(), 2u);
  EXPECT_THAT(told[1].cause.detail, HasSubstr("not known since when"));

  lose(kT - 10s, kT - 9s);
  die(kBash, SIGKILL);
  settle();
  ASSERT_EQ(told.size(), 3u);
  EXPECT_THAT(told[2].cause.detail, HasSubstr("3 critical records were lost"));
}

TEST_F(Attributed, a_loss_of_critical_records_meanwhile_makes_less_sure) {
  hand(shot(kT - 1ms, kBash, kNginx, SIGKILL));
  lose(kT - 2ms, kT);
  die(kNginx, SIGKILL);
  const auto story = only();
  EXPECT_EQ(story.cause.entity, "bash (pid 700)");
  EXPECT_LT(story.confidence, 0.8);
  EXPECT_THAT(story.chain, Contains(HasSubstr("lost meanwhile")));
}

TEST_F(Attributed, a_loss_elsewhen_or_of_another_class_changes_nothing) {
  hand(shot(kT - 1ms, kBash, kNginx, SIGKILL));
  lose(kT - 20s, kT - 10s);
  lose(kT + 1ms, kT + 2ms);
  lose(kT - 1ms, kT, TAPIO_STATE);
  lose(kT - 1ms, kT, TAPIO_NORMAL);
  die(kNginx, SIGKILL);
  EXPECT_GE(only().confidence, 0.95);
}

TEST_F(Attributed, losses_of_other_observers_change_nothing) {
  hand(shot(kT - 1ms, kBash, kNginx, SIGKILL));
  hand(Lost{
      .from = kT - 2ms, .to = kT, .observer = "dns", .event_class = TAPIO_CRITICAL, .count = 3});
  die(kNginx, SIGKILL);
  EXPECT_GE(only().confidence, 0.95);
}

TEST_F(Attributed, lost_signals_that_can_be_caught_make_less_sure_that_nobody_sent_one) {
  lose(kT - 3s, kT - 2s, TAPIO_NORMAL);
  leave(kNginx, 128 + SIGTERM);
  auto own = shot(kT - 1ms, kBash, kBash, SIGTERM);
  hand(own);
  die(kBash, SIGTERM);
  settle();
  ASSERT_EQ(told.size(), 2u);
  EXPECT_EQ(told[0].title, "nginx (pid 900) exited with status 143 by itself");
  for (const auto& story : told) {
    EXPECT_LT(story.confidence, 0.8);
    EXPECT_THAT(story.chain, Contains(HasSubstr("it may have caught a SIGTERM unseen")));
  }
}

TEST_F(Attributed, nobody_catches_sigkill_so_lost_others_do_not_matter) {
  lose(kT - 3s, kT, TAPIO_NORMAL);
  leave(kNginx, 137);
  const auto story = only();
  EXPECT_THAT(story.title, HasSubstr("nobody killed it"));
  EXPECT_GE(story.confidence, 0.95);
}

TEST_F(Attributed, storms_of_deaths_keep_their_bounds_and_lose_no_story) {
  for (std::uint32_t i = 0; i < 10'000; ++i) die({i + 10'000, 1 + i}, SIGKILL, kT, 1, kBash);
  settle();
  EXPECT_EQ(told.size(), 10'000u);

  Deaths deaths;
  const auto ignore = [](const Death&) {};
  for (std::uint32_t i = 0; i < 10'000; ++i)
    deaths.note({.process = {i + 1, 1},
                 .parent = {i % 3 + 1, 7},
                 .time = kT,
                 .evidence = {},
                 .signal = 9,
                 .name = {}},
                ignore);
  EXPECT_EQ(deaths.size(), Deaths::kMaxDeaths);
  deaths.settle(kT + 1s, ignore);
  deaths.settle(kT + 31s, ignore);
  EXPECT_EQ(deaths.size(), 0u);
  EXPECT_FALSE(deaths.child_of(
      {.process = {1, 7}, .parent = {}, .time = kT, .evidence = {}, .signal = 0, .name = {}}, 9,
      10s));
}

TEST_F(Attributed, many_losses_melt_together_and_stay_losses) {
  for (int i = 0; i < 1000; ++i) lose(kT - 1s + 1us * i, kT - 1s + 1us * i);
  die(kNginx, SIGKILL);
  EXPECT_THAT(only().cause.detail, HasSubstr("3000 critical records"));
}

TEST_F(Attributed, storms_of_signals_keep_their_bounds) {
  SignalMemory memory;
  for (std::uint32_t i = 0; i < 100'000; ++i) {
    auto fact = shot(kT + 1us * i, {i % 1000 + 1, 1}, {i % 5000 + 1, 2}, SIGUSR1);
    fact.lethal = false;
    memory.note(fact);
  }
  EXPECT_EQ(memory.targets(), SignalMemory::kMaxTargets);

  memory.note(shot(kT, kBash, kNginx, SIGKILL));
  for (std::uint32_t i = 0; i < 1000; ++i) memory.note(shot(kT + 1s, {i + 1, 1}, kNginx, SIGTERM));
  EXPECT_EQ(memory.to(kNginx).size(), SignalMemory::kMaxPerTarget);
  EXPECT_TRUE(memory.crowded(kNginx));
  EXPECT_EQ(memory.to(kNginx)[0].sender, kBash) << "a SIGKILL stays";

  memory.forget(kT + 32s);
  EXPECT_EQ(memory.targets(), 0u);
}

}  // namespace
}  // namespace tapio
