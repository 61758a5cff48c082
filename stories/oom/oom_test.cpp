// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>

#include "enrich/world.hpp"
#include "oom_growth.hpp"
#include "oom_rule.hpp"

namespace tapio::oom {
namespace {

using namespace std::chrono_literals;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr ProcessId kHog{812, 50}, kOther{813, 51};
constexpr MonotonicTime kT = 1000s;  // when it happens
constexpr std::uint64_t kMiB = 1 << 20;

class Oom : public testing::Test {
 protected:
  Oom() {
    start(kHog, "hog");
    start(kOther, "other");
  }
  void hand(const Fact& fact) {
    world.apply(fact);
    rule.on_fact(fact, world, told);
  }
  void start(ProcessId id, std::string_view name, MonotonicTime time = 500s) {
    hand(ProcessStarted{.time = time, .process = id, .name = name});
  }
  void die(ProcessId id, MonotonicTime time = kT + 3ms) {
    hand(ProcessExited{.time = time, .evidence = {1, 3}, .process = id, .signal = SIGKILL});
  }
  // By the hook: in a cgroup that has room, below one that has none.
  void kill(ProcessId id = kHog) {
    static constexpr MemoryLevel kLevels[] = {
        {.cgroup_id = 7, .usage = 10 * kMiB, .max = kNoLimit},
        {.cgroup_id = 6, .usage = 24 * kMiB, .max = 24 * kMiB},
        {.cgroup_id = 1, .usage = 900 * kMiB, .max = kNoLimit}};
    hand(OomKilled{.time = kT,
                   .evidence = {1, 1},
                   .victim = id,
                   .name = "hog",
                   .cgroup_id = 7,
                   .running = kOther,
                   .running_name = "other",
                   .anon_rss = 9 * kMiB,
                   .levels = kLevels});
  }
  OomReported report(std::uint32_t pid = kHog.pid) {
    static constexpr OomTask kTasks[] = {{.pid = 813, .rss = 14 * kMiB, .name = "other"},
                                         {.pid = 812, .rss = 9 * kMiB, .name = "hog"}};
    OomReported fact{.time = kT + 300us,
                     .evidence = {1, 2},
                     .victim_pid = pid,
                     .victim_name = "hog",
                     .anon_rss = 9 * kMiB,
                     .constraint = "CONSTRAINT_MEMCG",
                     .oom_memcg = "/x",
                     .task_memcg = "/x/inner",
                     .invoker = "other",
                     .tasks = kTasks,
                     .tasks_seen = 2,
                     .in_cgroup = true,
                     .invoker_pid = 813,
                     .chosen_pid = kHog.pid,
                     .usage_logged = true,
                     .usage = 24 * kMiB,
                     .limit = 24 * kMiB,
                     .failures = 78};
    return fact;
  }
  Story only() {
    rule.on_time(kT + 3s, world, told);
    EXPECT_EQ(told.size(), 1u);
    return told.empty() ? Story{} : told.front();
  }

  KnownWorld world;
  OomRule rule;
  Rule::Tell told;
};

TEST_F(Oom, both_sources_are_one_story_in_either_order) {
  for (const bool hook_first : {true, false}) {
    rule = OomRule();
    told.clear();
    if (hook_first) kill();
    hand(report());
    if (!hook_first) kill();
    die(kHog);
    const auto story = only();
    EXPECT_EQ(story.title,
              "hog (pid 812) was killed by the OOM killer: cgroup /x used all of its limit of 24 "
              "MiB");
    EXPECT_EQ(story.process, kHog);
    EXPECT_EQ(story.time, kT);
    EXPECT_EQ(story.cause.kind, "oom");
    EXPECT_EQ(story.cause.entity, "other (pid 813)");
    EXPECT_EQ(story.cause.detail,
              "cgroup /x reached its limit of 24 MiB; other (pid 813) used most, 14 MiB");
    EXPECT_GE(story.confidence, 0.95);
    EXPECT_THAT(story.chain,
                Contains("it is the limit of a parent: the victim is in cgroup /x/inner"));
    EXPECT_THAT(story.chain,
                Contains("largest of 2 processes: other (pid 813) 14 MiB, hog (pid 812, the "
                         "victim) 9 MiB (kernel log)"));
    EXPECT_THAT(story.chain, Contains("hog (pid 812) died by SIGKILL 3 ms later"));
    EXPECT_THAT(story.evidence, ElementsAre(RecordId{1, 1}, RecordId{1, 2}, RecordId{1, 3}));
  }
}

TEST_F(Oom, the_log_alone_is_enough_and_says_what_is_missing) {
  hand(report());
  die(kHog);
  const auto story = only();
  EXPECT_THAT(story.title, HasSubstr("cgroup /x used all of its limit of 24 MiB"));
  EXPECT_EQ(story.process, kHog);
  EXPECT_THAT(story.chain, Contains(HasSubstr("used 24 MiB, with a limit of 24 MiB (kernel log)")));
  EXPECT_THAT(story.missing, Contains(HasSubstr("kernel structs at the kill")));
}

TEST_F(Oom, the_hook_alone_is_enough_and_is_less_sure) {
  kill();
  const auto story = only();
  EXPECT_THAT(story.title, HasSubstr("cgroup 6 used all of its limit of 24 MiB"));
  EXPECT_LT(story.confidence, 0.95);
  EXPECT_EQ(story.cause.entity, "hog (pid 812)");
  EXPECT_THAT(story.missing, Contains(HasSubstr("kernel log: nothing about this kill")));
}

TEST_F(Oom, a_hook_without_usage_does_not_know_why) {
  hand(OomKilled{.time = kT, .victim = kHog, .name = "hog"});
  const auto story = only();
  EXPECT_EQ(story.title, "hog (pid 812) was killed by the OOM killer, cause unknown");
  EXPECT_LT(story.confidence, 0.5);
}

TEST_F(Oom, the_node_as_a_whole) {
  auto fact = report();
  fact.in_cgroup = fact.usage_logged = false;
  fact.constraint = "CONSTRAINT_NONE";
  fact.oom_memcg = fact.task_memcg = "";
  hand(fact);
  const auto story = only();
  EXPECT_THAT(story.title, HasSubstr("the node ran out of memory"));
  EXPECT_EQ(story.severity, Severity::critical);
}

TEST_F(Oom, is_told_once_and_when_it_has_settled) {
  kill();
  rule.on_time(kT + 2400ms, world, told);
  EXPECT_THAT(told, IsEmpty());
  rule.on_time(kT + 2500ms, world, told);
  EXPECT_EQ(told.size(), 1u);
  hand(report());
  rule.on_time(kT + 6s, world, told);
  EXPECT_EQ(told.size(), 1u);
}

TEST_F(Oom, who_has_the_pid_now_is_not_who_died) {
  die(kHog, kT);
  const ProcessId next{kHog.pid, 99'999};
  start(next, "innocent", kT + 100ms);
  hand(report());
  EXPECT_EQ(only().process, kHog);
}

TEST_F(Oom, victims_of_one_report_name_each_other) {
  hand(report());
  auto second = report(kOther.pid);
  second.victim_name = "other";
  second.group = "/x";
  hand(second);
  rule.on_time(kT + 3s, world, told);
  ASSERT_EQ(told.size(), 2u);
  EXPECT_THAT(told[0].impact,
              ElementsAre("other (pid 813) was killed by the OOM killer at the same time"));
  EXPECT_THAT(told[1].impact,
              ElementsAre("hog (pid 812) was killed by the OOM killer at the same time"));
  EXPECT_THAT(told[1].chain, Contains(HasSubstr("memory.oom.group")));
}

TEST_F(Oom, another_death_by_sigkill_is_not_its_business) {
  die(kHog);
  rule.on_time(kT + 60s, world, told);
  EXPECT_THAT(told, IsEmpty());
}

TEST(OomGrowth, says_how_fast_and_whether_in_one_step) {
  const auto point = [](int second, std::uint64_t mib) {
    return MemoryPoint{.time = kT + std::chrono::seconds(second), .usage = mib * kMiB};
  };
  const std::vector one{point(0, 12)};
  EXPECT_FALSE(growth(one));
  const std::vector ramp{point(0, 12), point(10, 22), point(20, 32), point(40, 52)};
  EXPECT_EQ(growth(ramp), "grew from 12 MiB to 52 MiB in 40 s, 1 MiB/s");
  const std::vector step{point(0, 12), point(1, 60)};
  EXPECT_EQ(growth(step), "grew from 12 MiB to 60 MiB, in one step within 1 s");
  const std::vector steady{point(0, 60), point(30, 62)};
  EXPECT_EQ(growth(steady), "had been at 60 MiB or more for 30 s");
}

TEST(OomGrowth, sizes_are_short) {
  EXPECT_EQ(size_in_words(0), "0 B");
  EXPECT_EQ(size_in_words(1023), "1023 B");
  EXPECT_EQ(size_in_words(24 * kMiB), "24 MiB");
  EXPECT_EQ(size_in_words(kMiB * 3 / 2), "1.5 MiB");
  EXPECT_EQ(size_in_words(kNoLimit), "15.9 EiB");
}

}  // namespace
}  // namespace tapio::oom
