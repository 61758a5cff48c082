// SPDX-License-Identifier: Apache-2.0
#include "evaluate/aftermath.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>

#include "incident.hpp"

namespace tapio {
namespace {

using namespace std::chrono_literals;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

// Tells every ending.
class Teller final : public Rule {
 public:
  void on_ending(const Ending& end, const World&, Tell& tell) override {
    tell.push_back(end.draft);
  }
};

constexpr RuleDescriptor kTeller{"teller", "", kEndingFacts, []() -> std::unique_ptr<Rule> {
                                   return std::make_unique<Teller>();
                                 }};
constexpr const RuleDescriptor* kRules[] = {&kTeller};

class Amended : public IncidentInEngine {
 protected:
  Amended() : IncidentInEngine(kRules) {}

  void kill(ProcessId target, MonotonicTime time = kT, ProcessId parent = kInit) {
    hand(shot(time - 1ms, kBash, target, SIGKILL));
    die(target, SIGKILL, time, 12, parent);
  }
  void run(ProcessId id, ProcessId parent, std::string_view executable, MonotonicTime time,
           std::uint64_t cgroup_id = 0) {
    fork(id, parent, "forked", time - 1ms);
    exec(id, executable, time, 0, cgroup_id);
  }
  // At each second up to `until`, as the agent does.
  void go_on(MonotonicTime until) {
    for (auto now = kT + 2s; now <= until; now += 500ms) settle(now);
  }
};

TEST_F(Amended, a_restart_that_is_known_is_told_at_once) {
  exec(kNginx, "/bin/nginx", 600s, 0);
  kill(kNginx);
  run({901, 51}, kInit, "/bin/nginx", kT + 120ms);
  EXPECT_THAT(only().impact, ElementsAre("started again as pid 901 after 120 ms"));
  EXPECT_EQ(told[0].revision, 1u);
  go_on(kT + 60s);
  EXPECT_THAT(amended, IsEmpty()) << "nothing new";
}

TEST_F(Amended, a_restart_that_comes_later_amends_the_story_under_its_id) {
  exec(kNginx, "/bin/nginx", 600s, 0);
  kill(kNginx);
  EXPECT_THAT(only().impact, IsEmpty());
  go_on(kT + 4s);
  run({901, 51}, kInit, "/bin/nginx", kT + 5s);
  settle(kT + 6s);
  ASSERT_THAT(amended, SizeIs(1));
  EXPECT_EQ(amended[0].first, (RecordId{2, 1}));
  EXPECT_EQ(amended[0].second.revision, 2u);
  EXPECT_THAT(amended[0].second.impact, ElementsAre("started again as pid 901 after 5 s"));
  ASSERT_THAT(stories.since(0s), SizeIs(1)) << "shown once";
  EXPECT_EQ(stories.since(0s)[0]->story.revision, 2u);
  EXPECT_THAT(told, SizeIs(1));
  EXPECT_EQ(stories.stats().amended, 1u);
}

// A look keeps what it saw run, which is no longer so after the exec.
TEST_F(Amended, who_was_looked_at_before_its_exec_is_a_restart_all_the_same) {
  exec(kInit, "/sbin/init", 500s, 0);
  exec(kNginx, "/bin/nginx", 600s, 0);
  kill(kNginx);
  fork({901, 51}, kInit, "forked", kT + 1ms);
  go_on(kT + 4s);
  EXPECT_THAT(only().impact, IsEmpty());
  exec({901, 51}, "/bin/nginx", kT + 5s, 0);
  go_on(kT + 40s);
  ASSERT_THAT(amended, SizeIs(1));
  EXPECT_THAT(amended[0].second.impact, ElementsAre("started again as pid 901 after 5 s"));
}

TEST_F(Amended, there_are_three_revisions_at_most_and_the_last_has_all) {
  start({50, 500}, kNginx, "child", 600s);
  kill(kNginx);
  settle();
  for (std::uint32_t i = 0; i < 5; ++i) {
    const auto time = kT + 3s * (i + 1);
    start({60 + i, 600}, kNginx, "child", 600s);
    die({60 + i, 600}, SIGTERM, time);
    settle(time + 1500ms);
  }
  EXPECT_THAT(amended, SizeIs(1));
  settle(kT + 31s);
  ASSERT_THAT(amended, SizeIs(2));
  EXPECT_EQ(amended[1].second.revision, Stories::kMaxRevisions);
  EXPECT_THAT(amended[1].second.impact, SizeIs(5));
  die({50, 500}, SIGTERM, kT + 32s);
  settle(kT + 60s);
  EXPECT_EQ(std::ranges::count(amended, RecordId{2, 1}, &std::pair<RecordId, Story>::first), 2);
}

TEST_F(Amended, another_program_other_arguments_and_another_parent_are_no_restart) {
  exec(kNginx, "/bin/nginx", 600s, 0);
  kill(kNginx);
  run({901, 51}, kInit, "/bin/other", kT + 1ms);
  run({902, 52}, kBash, "/bin/nginx", kT + 2ms);
  run({903, 53}, kInit, "/bin/nginx", kT - 1ms);  // before
  fork({904, 54}, kInit, "systemd", kT + 3ms);
  const char* one[] = {"nginx", "-a"};
  const char* other[] = {"nginx", "-b"};
  const std::vector<std::string_view> first(one, one + 2), second(other, other + 2);
  ProcessExecuted fact;
  fact.process = {905, 55};
  fact.executable = "/bin/x";
  fact.time = 600s;
  fact.args = first;
  fork(fact.process, kInit, "x");
  hand(fact);
  kill(fact.process);
  fact.process = {906, 56};
  fact.time = kT + 1s;
  fact.args = second;
  fork(fact.process, kInit, "x", kT + 1s);
  hand(fact);
  settle();
  ASSERT_THAT(told, SizeIs(2));
  for (const Story& story : told)
    EXPECT_THAT(story.impact, testing::Each(testing::Not(HasSubstr("started again"))))
        << story.title;
}

TEST_F(Amended, restarts_are_counted) {
  ProcessId id = kNginx;
  exec(id, "/bin/nginx", 600s, 0);
  for (std::uint32_t i = 1; i <= 3; ++i) {
    const auto time = kT + 10s * i;
    kill(id, time);
    id = {900 + i, 50 + i};
    run(id, kInit, "/bin/nginx", time + 100ms);
    settle(time + 2s);
  }
  ASSERT_THAT(told, SizeIs(3));
  EXPECT_THAT(told[0].impact[0], HasSubstr("pid 901 after 100 ms"));
  EXPECT_THAT(told[2].impact,
              Contains("started again as pid 903 after 100 ms, the 3rd time in 10 min"));
}

TEST_F(Amended, a_container_that_is_started_again_is_a_restart_by_whomever) {
  world.cgroups[7] = {.id = 7, .path = "/a", .container_id = "c0ffee"};
  world.cgroups[8] = {.id = 8, .path = "/b", .container_id = "c0ffee"};
  run({50, 500}, kSshd, "/bin/server", 700s, 7);
  hand(shot(kT - 1ms, kBash, {50, 500}, SIGKILL));
  die({50, 500}, SIGKILL, kT, 12, kSshd, 7);
  run({60, 600}, kBash, "/bin/server", kT + 1s, 8);
  EXPECT_THAT(only().impact, ElementsAre("started again as pid 60 after 1 s"));
}

TEST_F(Amended, what_else_ended_is_told_with_what_it_has_to_do_with_it) {
  world.cgroups[7] = {.id = 7, .path = "/system.slice/a.service", .unit = "a.service"};
  start({50, 500}, kInit, "main", 600s, 1, 0, 7);
  start({51, 510}, {50, 500}, "child", 600s, 1, 0, 7);
  start({52, 520}, {51, 510}, "grandchild", 600s, 1, 0, 7);
  start({53, 530}, kInit, "other", 600s, 1, 0, 7);
  start({54, 540}, kInit, "elsewhere", 600s);
  hand(shot(kT - 1ms, kBash, {50, 500}, SIGKILL));
  die({50, 500}, SIGKILL, kT, 1, kInit, 7);
  leave({51, 510}, 0, kT + 2ms, kInit, 2, 7);
  die({52, 520}, SIGHUP, kT + 3ms, 3, kInit, 7);
  die({53, 530}, SIGSEGV, kT + 4ms, 4, kInit, 7);
  kill({54, 540}, kT + 5ms);
  leave(kNginx, 0, kT + 6ms);  // has nothing to do with it
  settle();
  ASSERT_FALSE(told.empty());
  EXPECT_THAT(told[0].impact,
              ElementsAre("its child child (pid 51) exited with status 0, 2 ms later",
                          "its descendant grandchild (pid 52) died by SIGHUP, 3 ms later",
                          "of the same unit, other (pid 53) died by SIGSEGV, 4 ms later",
                          "by the same sender, elsewhere (pid 54) died by SIGKILL, 5 ms later"));
}

TEST_F(Amended, storms_keep_their_bounds) {
  kill(kNginx);
  for (std::uint32_t i = 0; i < 20'000; ++i) {
    const ProcessId id{i + 10'000, 1 + i};
    fork(id, kNginx, "child", kT);
    die(id, SIGKILL, kT + 1us * i, 1, kNginx);
  }
  settle();
  ASSERT_FALSE(told.empty());
  go_on(kT + 31s);
  for (const auto* each : stories.since(0s)) {
    EXPECT_LE(each->story.impact.size(), Aftermath::kMaxLines + 1);
    EXPECT_LE(each->story.revision, Stories::kMaxRevisions);
  }
  EXPECT_LE(stories.stats().told, 100u);
}

TEST_F(Amended, a_new_container_of_the_pod_is_told_though_another_process_was_killed) {
  world.cgroups[7] = {.id = 7, .path = "/a", .container_id = "c0ffee", .pod_uid = "pod"};
  world.cgroups[8] = {.id = 8, .path = "/pod", .pod_uid = "pod"};
  world.cgroups[9] = {.id = 9, .path = "/b", .container_id = "0123456789abcdef", .pod_uid = "pod"};
  exec(kNginx, "/bin/worker", 600s, 0, 7);
  hand(shot(kT - 1ms, kBash, kNginx, SIGKILL));
  hand(ProcessExited{.time = kT, .process = kNginx, .cgroup_id = 7, .signal = SIGKILL});
  hand(CgroupCreated{.time = kT + 1s, .evidence = {1, 7}, .cgroup_id = 8, .path = "/pod"});
  hand(CgroupCreated{.time = kT + 1500ms, .cgroup_id = 9, .path = "/b"});  // found by a walk
  EXPECT_THAT(only().impact, IsEmpty());
  hand(CgroupCreated{.time = kT + 3s, .evidence = {1, 8}, .cgroup_id = 9, .path = "/b"});
  go_on(kT + 10s);
  ASSERT_THAT(amended, SizeIs(1));
  EXPECT_THAT(amended[0].second.impact,
              ElementsAre("its pod got a new container, 0123456789ab, after 3 s"));
}

TEST_F(Amended, a_unit_that_begins_again_is_told_and_one_after_half_a_minute_is_not) {
  world.cgroups[7] = {.id = 7, .path = "/a.service", .unit = "a.service"};
  world.cgroups[8] = {.id = 8, .path = "/a.service", .unit = "a.service"};
  for (const auto after : {40s, 5s}) {
    told.clear();
    amended.clear();
    const ProcessId worker{static_cast<std::uint32_t>(2000 + after.count()), 60};
    start(worker, kInit, "worker", 600s);
    exec(worker, "/bin/worker", 601s, 0, 7);
    hand(shot(kT - 1ms, kBash, worker, SIGKILL));
    hand(ProcessExited{.time = kT, .process = worker, .cgroup_id = 7, .signal = SIGKILL});
    settle(kT + 2s);
    hand(CgroupCreated{.time = kT + after, .evidence = {1, 8}, .cgroup_id = 8});
    go_on(kT + 60s);
    ASSERT_THAT(told, SizeIs(1));
    const auto impact = amended.empty() ? told[0].impact : amended.back().second.impact;
    EXPECT_EQ(!impact.empty() && impact[0] == "its unit was started again after 5 s", after == 5s);
  }
}

}  // namespace
}  // namespace tapio
