// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>

#include "attributed.hpp"
#include "evaluate/signal_words.hpp"

namespace tapio {
namespace {

using namespace std::chrono_literals;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;

TEST_F(Attributed, by_its_own_abort) {
  auto fact = shot(kT - 1ms, kNginx, kNginx, SIGABRT);
  fact.by = SignalClass::tkill;
  hand(fact);
  die(kNginx, SIGABRT);
  const auto story = only();
  EXPECT_EQ(story.title, "nginx (pid 900) killed itself with SIGABRT");
  EXPECT_EQ(story.cause.kind, "self");
  EXPECT_THAT(story.cause.detail, HasSubstr("abort()"));
  EXPECT_GE(story.confidence, 0.95);
}

TEST_F(Attributed, by_a_fault_of_its_own_with_the_reason) {
  auto fact = shot(kT - 1ms, {}, kNginx, SIGSEGV);
  fact.by = SignalClass::kernel_fault;
  fact.code = SEGV_MAPERR;
  hand(fact);
  auto dumped = death(kNginx, SIGSEGV);
  dumped.core_dumped = true;
  hand(dumped);
  const auto story = only();
  EXPECT_EQ(story.title,
            "nginx (pid 900) crashed with SIGSEGV: invalid memory access (address not mapped)");
  EXPECT_EQ(story.cause.kind, "fault");
  EXPECT_THAT(story.chain, Contains(HasSubstr("and dumped core")));
}

TEST_F(Attributed, by_its_timer) {
  auto fact = shot(kT - 1ms, {}, kNginx, SIGALRM);
  fact.by = SignalClass::timer;
  hand(fact);
  die(kNginx, SIGALRM);
  const auto story = only();
  EXPECT_EQ(story.cause.kind, "timer");
  EXPECT_EQ(story.title, "nginx (pid 900) was killed with SIGALRM by its own timer");
}

TEST_F(Attributed, by_the_kernel_without_a_reason_claims_none) {
  auto fact = shot(kT - 1ms, {}, kNginx, SIGKILL);
  fact.by = SignalClass::kernel;
  hand(fact);
  die(kNginx, SIGKILL);
  const auto story = only();
  EXPECT_EQ(story.title, "nginx (pid 900) was killed with SIGKILL by the kernel");
  EXPECT_EQ(story.cause.kind, "kernel");
  EXPECT_LT(story.confidence, 0.7);
  EXPECT_GE(story.confidence, 0.5);
}

TEST_F(Attributed, with_its_pid_namespace_when_the_first_process_of_it_ends) {
  start({50, 50}, kInit, "inner-init", 600s, 77, 1);
  start({51, 51}, {50, 50}, "worker", 601s, 77, 2);
  die({50, 50}, SIGTERM, kT - 2ms, 20);
  auto fact = shot(kT - 1ms, {}, {51, 51}, SIGKILL, 21);
  fact.by = SignalClass::kernel;
  hand(fact);
  die({51, 51}, SIGKILL, kT, 22);
  settle();
  ASSERT_EQ(told.size(), 2u);
  EXPECT_THAT(told[1].title, HasSubstr("because inner-init (pid 50), the first process of its pid "
                                       "namespace, ended"));
  EXPECT_EQ(told[1].cause.kind, "kernel");
  EXPECT_GE(told[1].confidence, 0.9);
  EXPECT_THAT(told[1].evidence, Contains(RecordId{1, 20}));
}

TEST_F(Attributed, with_its_pid_namespace_says_why_the_first_process_ended) {
  start({50, 50}, kInit, "inner-init", 600s, 77, 1);
  start({51, 51}, {50, 50}, "worker", 601s, 77, 2);
  hand(shot(kT - 3ms, kBash, {50, 50}, SIGKILL, 19));
  die({50, 50}, SIGKILL, kT - 2ms, 20);
  auto fact = shot(kT - 1ms, {}, {51, 51}, SIGKILL, 21);
  fact.by = SignalClass::kernel;
  hand(fact);
  die({51, 51}, SIGKILL, kT, 22);
  settle();
  ASSERT_EQ(told.size(), 2u);
  EXPECT_EQ(
      told[1].title,
      "worker (pid 51) was killed with SIGKILL by the kernel because inner-init (pid 50), the "
      "first process of its pid namespace, was killed with SIGKILL by bash (pid 700)");
  EXPECT_EQ(told[1].cause.kind, "kernel");
  EXPECT_THAT(told[1].chain, Contains(HasSubstr("sent SIGKILL to inner-init (pid 50)")));
  EXPECT_THAT(told[1].evidence,
              ElementsAre(RecordId{1, 19}, RecordId{1, 20}, RecordId{1, 21}, RecordId{1, 22}));
}

TEST_F(Attributed, with_its_pid_namespace_when_why_is_not_known_it_only_ended) {
  start({50, 50}, kInit, "inner-init", 600s, 77, 1);
  start({51, 51}, {50, 50}, "worker", 601s, 77, 2);
  leave({50, 50}, 0, kT - 2ms);
  auto fact = shot(kT - 1ms, {}, {51, 51}, SIGKILL, 21);
  fact.by = SignalClass::kernel;
  hand(fact);
  die({51, 51}, SIGKILL, kT, 22);
  const auto story = only();
  EXPECT_TRUE(story.title.ends_with("the first process of its pid namespace, ended"))
      << story.title;
  EXPECT_GE(story.confidence, 0.9);
}

TEST_F(Attributed, from_the_terminal) {
  auto fact = shot(kT - 1ms, {}, kNginx, SIGINT);
  fact.by = SignalClass::kernel;
  hand(fact);
  die(kNginx, SIGINT);
  const auto story = only();
  EXPECT_EQ(story.title, "nginx (pid 900) was killed with SIGINT by its terminal (Ctrl-C)");
  EXPECT_EQ(story.cause.kind, "kernel");
}

TEST_F(Attributed, by_a_limit) {
  auto fact = shot(kT - 1ms, kNginx, kNginx, SIGXFSZ);  // as the kernel has it
  hand(fact);
  die(kNginx, SIGXFSZ);
  const auto story = only();
  EXPECT_EQ(story.cause.kind, "kernel");
  EXPECT_THAT(story.title, HasSubstr("RLIMIT_FSIZE"));
}

TEST_F(Attributed, by_seccomp_which_needs_no_signal) {
  die(kNginx, SIGSYS);
  const auto story = only();
  EXPECT_EQ(story.cause.kind, "kernel");
  EXPECT_THAT(story.cause.detail, HasSubstr("seccomp"));
}

TEST_F(Attributed, fault_codes_are_put_into_words) {
  EXPECT_EQ(fault_detail(SIGSEGV, SEGV_ACCERR), "invalid memory access (no permission)");
  EXPECT_EQ(fault_detail(SIGFPE, FPE_INTDIV), "arithmetic error (integer division by zero)");
  EXPECT_EQ(fault_detail(SIGBUS, BUS_ADRALN), "bus error (misaligned address)");
  EXPECT_EQ(fault_detail(SIGILL, ILL_ILLOPC), "illegal instruction (illegal opcode)");
  EXPECT_EQ(fault_detail(SIGSEGV, 77), "invalid memory access (code 77)");
}

TEST_F(Attributed, by_the_end_of_its_parent_when_it_had_asked_for_that) {
  start({6, 60}, kBash, "child", 900s);
  start({7, 70}, kBash, "child", 900s);
  leave(kBash, 0, kT - 2ms, kSshd);
  hand(by_kernel(kT - 1ms, {6, 60}, SIGTERM, 11));
  die({6, 60}, SIGTERM, kT, 12);
  hand(by_kernel(kT - 1ms, {7, 70}, SIGHUP));  // the session ends with its leader
  die({7, 70}, SIGHUP);
  settle();
  ASSERT_EQ(ends.size(), 2u);
  EXPECT_EQ(ends[0].by, By::parent_death);
  EXPECT_EQ(told[0].title,
            "child (pid 6) was killed with SIGTERM because its parent bash (pid 700) ended "
            "(PR_SET_PDEATHSIG)");
  EXPECT_EQ(told[0].cause.entity, "bash (pid 700)");
  EXPECT_THAT(told[0].evidence, ElementsAre(RecordId{1, 11}, RecordId{1, 12}));
  EXPECT_EQ(ends[1].by, By::kernel);
}

TEST_F(Attributed, a_cgroup_that_is_killed_is_not_the_death_of_a_parent) {
  start({6, 60}, kBash, "child", 900s);
  die(kBash, SIGKILL, kT - 2ms, 10, kSshd);
  hand(by_kernel(kT - 1ms, {6, 60}, SIGKILL, 11));
  die({6, 60}, SIGKILL, kT, 12);
  settle();
  ASSERT_EQ(ends.size(), 2u);
  EXPECT_EQ(ends[1].by, By::kernel);
}

TEST_F(Attributed, by_the_oom_killer_whatever_comes_first) {
  hand(by_kernel(kT - 1ms, kNginx, SIGKILL, 11));
  hand(OomKilled{.time = kT - 1ms + 40us, .evidence = {1, 12}, .victim = kNginx, .name = "nginx"});
  die(kNginx, SIGKILL, kT, 13);
  settle();
  ASSERT_EQ(ends.size(), 1u);
  EXPECT_EQ(ends[0].by, By::oom);
  EXPECT_EQ(told[0].title, "nginx (pid 900) was killed with SIGKILL by the kernel: out of memory");
  EXPECT_EQ(told[0].severity, Severity::critical);
  EXPECT_THAT(told[0].evidence, ElementsAre(RecordId{1, 12}, RecordId{1, 13}));
}

TEST_F(Attributed, an_oom_kill_of_another_explains_nothing) {
  hand(OomKilled{.time = kT - 1ms, .evidence = {1, 12}, .victim = {900, 51}, .name = "nginx"});
  hand(by_kernel(kT - 1ms, kNginx, SIGKILL, 11));
  die(kNginx, SIGKILL);
  settle();
  ASSERT_EQ(ends.size(), 1u);
  EXPECT_EQ(ends[0].by, By::kernel);
}

TEST_F(Attributed, a_child_of_the_oom_killer_is_passed_on_as_grave_as_it_was) {
  start({6, 60}, kNginx, "python", 900s);
  hand(OomKilled{.time = kT - 3ms, .evidence = {1, 12}, .victim = {6, 60}, .name = "python"});
  die({6, 60}, SIGKILL, kT - 2ms, 13, kNginx);
  leave(kNginx, 137);
  settle();
  ASSERT_EQ(ends.size(), 2u);
  EXPECT_EQ(ends[1].by, By::passed_on);
  EXPECT_THAT(told[1].title, HasSubstr("because its child python (pid 6) was killed"));
  EXPECT_EQ(told[1].severity, Severity::critical);
}

TEST_F(Attributed, the_main_process_of_a_container_and_of_a_service_is_known) {
  world.cgroups[7] = {.id = 7, .path = "/system.slice/a.service", .unit = "a.service"};
  start({50, 50}, kBash, "inner-init", 600s, 77, 1);
  start({60, 60}, kInit, "main", 600s, 1, 0, 7);
  start({61, 61}, {60, 60}, "worker", 600s, 1, 0, 7);
  start({62, 62}, kInit, "getty", 600s);
  for (const std::uint32_t pid : {50, 60, 61, 62}) die({pid, pid}, SIGKILL);
  settle();
  ASSERT_EQ(ends.size(), 4u);
  EXPECT_TRUE(ends[0].main_process);
  EXPECT_TRUE(ends[1].main_process);
  EXPECT_FALSE(ends[2].main_process);
  EXPECT_FALSE(ends[3].main_process);
}

TEST_F(Attributed, what_is_ordinary_is_not_grave) {
  start({6, 60}, kBash, "job", 900s);
  hand(shot(kT - 1ms, kBash, {6, 60}, SIGKILL));  // by its own parent
  die({6, 60}, SIGKILL, kT, 1, kBash);
  hand(shot(kT - 1ms, kBash, kNginx, SIGTERM));
  die(kNginx, SIGTERM);
  hand(by_kernel(kT - 1ms, kSshd, SIGINT));
  die(kSshd, SIGINT);
  hand(shot(kT - 1ms, kBash, kKill, SIGKILL));
  die(kKill, SIGKILL);
  settle();
  ASSERT_EQ(told.size(), 4u);
  for (const auto i : {0, 1, 2}) EXPECT_EQ(told[i].severity, Severity::info) << told[i].title;
  EXPECT_EQ(told[3].severity, Severity::warning);
}

// Nothing was seen of it but what /proc had at the start.
TEST_F(Attributed, who_was_there_before_the_agent_gets_a_full_story) {
  const ProcessId old{77, 7};
  ProcessExecuted snapshot;
  snapshot.time = 2s;
  snapshot.process = old;
  snapshot.parent = kSshd;
  snapshot.virtual_pid = old.pid;
  snapshot.pid_namespace = 1;
  snapshot.credentials.uid = 33;
  snapshot.name = "postgres";
  snapshot.executable = "/usr/bin/postgres";
  world.known.seen(snapshot);
  hand(shot(kT - 1ms, kBash, old, SIGKILL, 11));
  die(old, SIGKILL, kT, 12);
  hand(shot(kT - 1ms, old, kNginx, SIGKILL, 13));  // as a sender too
  die(kNginx, SIGKILL, kT, 14);
  settle();
  ASSERT_EQ(told.size(), 2u);
  EXPECT_EQ(told[0].title, "leaving (pid 77) was killed with SIGKILL by bash (pid 700)");
  EXPECT_EQ(told[0].process, old);
  EXPECT_GE(told[0].confidence, 0.95);
  EXPECT_THAT(told[0].chain, Contains(HasSubstr("it had run for about 17 min")));
  EXPECT_EQ(told[1].cause.entity, "postgres (pid 77)");
  EXPECT_THAT(told[1].chain, Contains(HasSubstr("sshd (pid 640) started postgres (pid 77)")));
  EXPECT_THAT(told[1].cause.detail, HasSubstr("user 33"));
}

}  // namespace
}  // namespace tapio
