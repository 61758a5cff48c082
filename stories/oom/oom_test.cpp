// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>

#include "enrich/world.hpp"
#include "evaluate/words.hpp"
#include "oom_growth.hpp"
#include "oom_rule.hpp"

namespace tapio::oom {
namespace {

using namespace std::chrono_literals;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

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

TEST_F(Oom, a_container_goes_by_its_name) {
  const std::string id(64, 'a');
  world.apply(CgroupCreated{.cgroup_id = 6, .path = "/docker/" + id});
  world.apply(ContainerDescribed{.time = kT, .id = id, .name = "web"});
  kill();
  EXPECT_THAT(only().title,
              HasSubstr("container web (aaaaaaaaaaaa) used all of its limit of 24 MiB"));
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

class OomState : public Oom {
 protected:
  // A reading of the cgroup whose limit it was.
  static CgroupMemory reading(MonotonicTime time, std::uint64_t mib) {
    return {.time = time, .cgroup_id = 6, .usage = mib * kMiB, .max = 24 * kMiB};
  }
  void grow(int seconds) {
    for (int i = seconds; i > 0; --i)
      hand(reading(kT - std::chrono::seconds(i), static_cast<std::uint64_t>(24 - i)));
  }
  Story killed() {
    kill();
    hand(report());
    die(kHog);
    return only();
  }
};

TEST_F(OomState, counters_and_pressure_before_and_after_are_told_with_their_time) {
  hand(NodePressure{.time = kT - 300ms,
                    .memory = Pressure{.some = 1.5},
                    .memory_total = 1000 * kMiB,
                    .memory_available = 100 * kMiB});
  auto before = reading(kT - 400ms, 23);
  before.reclaimable = kMiB;
  before.hits = 37;
  before.oom_kills = 0;
  before.pressure = Pressure{.some = 42, .full = 12, .some_total = 3s};
  hand(before);
  auto after = reading(kT + 600ms, 3);
  after.hits = 78;
  after.oom_kills = 1;
  hand(after);
  const auto story = killed();
  EXPECT_THAT(story.chain,
              Contains("400 ms before the kill: cgroup /x used 23 MiB, 1 MiB of it page cache and "
                       "slab that can be given back; its counters: limit hit 37, killed 0 (files "
                       "of the cgroup)"));
  EXPECT_THAT(story.chain, Contains("tasks of cgroup /x waited for memory 42.0 % of the 10 s, all "
                                    "at once 12.0 %, 3 s since it was made (PSI, 400 ms before "
                                    "the kill)"));
  EXPECT_THAT(story.chain, Contains("600 ms after the kill its counters were: limit hit 78, killed "
                                    "1 (files of the cgroup)"));
  EXPECT_THAT(story.chain,
              Contains("300 ms before the kill: the node had 100 MiB of 1000 MiB available; its "
                       "tasks waited for memory 1.5 % of the 10 s, all at once 0.0 % (PSI)"));
}

TEST_F(OomState, without_psi_that_is_missing_and_without_readings_nothing_is_said) {
  auto before = reading(kT - 400ms, 23);
  before.hits = 1;
  hand(before);
  EXPECT_THAT(killed().missing, Contains(HasSubstr("none on cgroup v1")));
  EXPECT_THAT(told[0].chain, Not(Contains(HasSubstr("(PSI"))));
}

TEST_F(OomState, a_prediction_is_told_with_its_record) {
  grow(20);
  hand(Detected{.time = kT - 15s,
                .evidence = {9, 9},
                .what = Detection::oom_predicted,
                .cgroup_id = 6,
                .detail = "in 16 s, 14 s to 18 s, by 8 readings in 7 s"});
  const auto story = killed();
  EXPECT_THAT(story.chain, Contains("it was predicted 15 s before the kill: in 16 s, 14 s to 18 s, "
                                    "by 8 readings in 7 s"));
  EXPECT_THAT(story.evidence, Contains(RecordId{9, 9}));
}

TEST_F(OomState, a_step_has_no_prediction_and_says_so) {
  for (int i = 20; i > 0; --i) hand(reading(kT - std::chrono::seconds(i), 8));
  EXPECT_THAT(killed().chain,
              Contains("step, no prediction: 1 s before the kill it used 8 MiB of 24 MiB"));
}

TEST_F(OomState, a_step_that_was_read_in_its_middle_is_one_too) {
  for (int i = 20; i > 1; --i) hand(reading(kT - std::chrono::seconds(i), 8));
  hand(reading(kT - 1s, 20));
  EXPECT_THAT(killed().chain,
              Contains("step, no prediction: 2 s before the kill it used 8 MiB of 24 MiB"));
}

TEST_F(OomState, few_readings_are_a_reason_for_no_prediction) {
  grow(3);
  EXPECT_THAT(killed().chain, Contains("no prediction: it was read only 3 times before the kill"));
}

TEST_F(OomState, uneven_growth_is_another) {
  grow(9);
  EXPECT_THAT(killed().chain, Contains(HasSubstr("no prediction: its growth was too uneven")));
}

TEST_F(OomState, a_prediction_for_another_cgroup_or_long_ago_is_none) {
  grow(9);
  for (const auto& [time, id] : {std::pair(kT - 10s, 5u), std::pair(kT - 10min, 6u)})
    hand(Detected{.time = time, .what = Detection::oom_predicted, .cgroup_id = id});
  EXPECT_THAT(killed().chain, Not(Contains(HasSubstr("it was predicted"))));
}

TEST_F(OomState, a_prediction_came_true_once) {
  hand(reading(kT - 16s, 20));
  hand(Detected{.time = kT - 15s, .what = Detection::oom_predicted, .cgroup_id = 6});
  EXPECT_THAT(killed().chain, Contains(HasSubstr("it was predicted 15 s before")));
  told.clear();
  static constexpr MemoryLevel kLevels[] = {{.cgroup_id = 6, .usage = kMiB, .max = kMiB}};
  hand(OomKilled{.time = kT + 20s, .victim = kOther, .name = "other", .levels = kLevels});
  rule.on_time(kT + 23s, world, told);
  ASSERT_EQ(told.size(), 1u);
  EXPECT_THAT(told[0].chain, Not(Contains(HasSubstr("it was predicted"))));
}

TEST_F(OomState, badness_is_computed_from_the_table_as_the_kernel_does) {
  static constexpr OomTask kTasks[] = {{.pid = 812,
                                        .rss = 9 * kMiB,
                                        .page_tables = kMiB,
                                        .swap = 2 * kMiB,
                                        .score_adj = 500,
                                        .name = "hog"}};
  auto fact = report();
  fact.tasks = kTasks;
  hand(fact);
  EXPECT_THAT(only().chain,
              Contains("its badness was 24 MiB, computed as the kernel does: resident memory, page "
                       "tables, swap, and oom_score_adj thousandths of 24 MiB"));
}

TEST_F(OomState, badness_from_the_structs_has_no_page_tables) {
  kill();
  EXPECT_THAT(only().chain, Contains("its badness was 9 MiB, computed as the kernel does: resident "
                                     "memory, swap; page tables are not known"));
}

TEST_F(OomState, badness_on_a_node_that_is_not_read_is_not_known_when_the_score_is_adjusted) {
  static constexpr OomTask kTasks[] = {{.pid = 812, .rss = 9 * kMiB, .score_adj = -500}};
  auto fact = report();
  fact.tasks = kTasks;
  fact.in_cgroup = fact.usage_logged = false;
  fact.constraint = "CONSTRAINT_NONE";
  fact.oom_memcg = fact.task_memcg = "";
  hand(fact);
  EXPECT_THAT(only().chain, Not(Contains(HasSubstr("badness"))));
  told.clear();
  rule = OomRule();
  hand(NodePressure{.time = kT - 1s, .memory_total = 100 * kMiB});
  hand(fact);
  EXPECT_THAT(only().chain, Contains(HasSubstr("its badness was -41 MiB")));
}

TEST_F(OomState, consumers_are_those_of_proc_when_the_log_has_no_table) {
  static constexpr CgroupConsumers::Task kTasks[] = {{813, 14 * kMiB, "other"},
                                                     {812, 9 * kMiB, "hog"}};
  hand(CgroupConsumers{.time = kT - 2s, .cgroup_id = 6, .tasks = kTasks, .seen = 7});
  auto fact = report();
  fact.tasks = {};
  kill();
  hand(fact);
  EXPECT_THAT(
      only().chain,
      Contains("largest of 7 processes: other (pid 813) 14 MiB, hog (pid 812, the victim) 9 "
               "MiB (/proc, 2 s before the kill)"));
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
