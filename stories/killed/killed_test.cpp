// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <csignal>

#include "enrich/world.hpp"
#include "evaluate/engine.hpp"
#include "killed_rule.hpp"
#include "killed_words.hpp"

namespace tapio::killed {

extern const RuleDescriptor descriptor;

namespace {

using namespace std::chrono_literals;
using testing::Contains;
using testing::Each;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

constexpr ProcessId kInit{1, 1}, kSshd{640, 20}, kBash{700, 30}, kNginx{900, 50}, kKill{812, 60};
constexpr MonotonicTime kT = 1000s;  // when it happens

SignalSent shot(MonotonicTime time, ProcessId sender, ProcessId target, std::int32_t signal,
                std::uint64_t evidence = 0) {
  SignalSent fact;
  fact.time = time;
  fact.evidence = {1, evidence};
  fact.sender = sender;
  fact.sender_name = sender ? "thread" : "";
  fact.target = target;
  fact.target_name = "thread";
  fact.signal = signal;
  fact.by = SignalClass::user;
  fact.lethal = true;
  return fact;
}

ProcessExited death(ProcessId id, std::int32_t signal) {
  ProcessExited fact;
  fact.time = kT;
  fact.process = id;
  fact.signal = signal;
  fact.name = "leaving";
  return fact;
}

class Killed : public testing::Test {
 protected:
  Killed() {
    world.watching(1s);
    start(kInit, {}, "systemd");
    start(kSshd, kInit, "sshd");
    start(kBash, kSshd, "bash");
    start(kNginx, kInit, "nginx");
  }

  void hand(const Fact& fact) {
    world.apply(fact);
    rule.on_fact(fact, world, told);
  }
  void start(ProcessId id, ProcessId parent, std::string_view name, MonotonicTime time = 500s,
             std::uint64_t pid_namespace = 1, std::uint32_t virtual_pid = 0) {
    hand(ProcessStarted{.time = time,
                        .process = id,
                        .parent = parent,
                        .virtual_pid = virtual_pid ? virtual_pid : id.pid,
                        .pid_namespace = pid_namespace,
                        .name = name});
    ProcessExecuted ran;
    ran.time = time;
    ran.process = id;
    ran.name = name;
    world.apply(ran);
  }
  // One that goes on under the name of its parent, whatever it calls itself.
  void fork(ProcessId id, ProcessId parent, std::string_view name) {
    hand(ProcessStarted{.time = 500s, .process = id, .parent = parent, .name = name});
  }
  void exec(ProcessId id, std::string_view name, MonotonicTime time, std::uint64_t evidence) {
    ProcessExecuted fact;
    fact.time = time;
    fact.evidence = {1, evidence};
    fact.process = id;
    fact.name = name;
    fact.executable = name;
    hand(fact);
  }
  void die(ProcessId id, std::int32_t signal, MonotonicTime time = kT, std::uint64_t evidence = 99,
           ProcessId parent = kInit) {
    hand(ProcessExited{.time = time,
                       .evidence = {1, evidence},
                       .process = id,
                       .parent = parent,
                       .signal = signal,
                       .name = "leaving"});
  }
  void leave(ProcessId id, std::int32_t code, MonotonicTime time = kT, ProcessId parent = kInit,
             std::uint64_t evidence = 99) {
    hand(ProcessExited{.time = time,
                       .evidence = {1, evidence},
                       .process = id,
                       .parent = parent,
                       .code = code,
                       .name = "leaving"});
  }
  void lose(MonotonicTime from, MonotonicTime to, tapio_class event_class = TAPIO_CRITICAL) {
    hand(Lost{
        .from = from, .to = to, .observer = "process", .event_class = event_class, .count = 3});
  }
  void settle(MonotonicTime now = kT + 2s) { rule.on_time(now, world, told); }
  // The one story there is.
  Story only(MonotonicTime now = kT + 2s) {
    settle(now);
    EXPECT_EQ(told.size(), 1u);
    return told.empty() ? Story{} : told.front();
  }

  KnownWorld world;
  KilledRule rule;
  Rule::Tell told;
};

TEST_F(Killed, by_a_short_lived_kill_whose_ancestry_is_told) {
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

TEST_F(Killed, is_told_when_it_has_settled_and_once_only) {
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

TEST_F(Killed, context_that_comes_after_the_death_is_used) {
  die(kNginx, SIGTERM);
  hand(shot(kT - 1ms, kKill, kNginx, SIGTERM));
  exec(kKill, "kill", kT - 2ms, 10);
  start(kKill, kBash, "bash", kT - 3ms);
  const auto story = only();
  EXPECT_EQ(story.cause.entity, "kill (pid 812)");
  EXPECT_THAT(story.chain[0], HasSubstr("bash (pid 700) started kill"));
}

TEST_F(Killed, the_first_sigkill_wins_and_the_last_lethal_sigterm) {
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

TEST_F(Killed, a_signal_that_was_caught_gives_way_to_the_lethal_one_and_raises_no_doubt) {
  auto caught = shot(kT - 1ms, kSshd, kNginx, SIGTERM);
  caught.lethal = false;
  hand(shot(kT - 2ms, kBash, kNginx, SIGTERM));
  hand(caught);
  die(kNginx, SIGTERM);
  const auto story = only();
  EXPECT_EQ(story.cause.entity, "bash (pid 700)");
  EXPECT_GE(story.confidence, 0.95);
}

TEST_F(Killed, signals_that_did_not_get_through_or_came_later_or_are_others_do_not_count) {
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

TEST_F(Killed, a_signal_whose_siginfo_was_lost_did_get_through) {
  auto fact = shot(kT - 1ms, kBash, kNginx, 40);
  fact.result = SignalResult::lose_info;
  hand(fact);
  die(kNginx, 40);
  EXPECT_EQ(only().cause.kind, "process");
}

TEST_F(Killed, what_was_sent_to_a_former_owner_of_the_pid_does_not_count) {
  hand(shot(kT - 1s, kBash, {5, 100}, SIGKILL));
  die({5, 100}, SIGKILL, kT - 900ms);
  start({5, 200}, kInit, "second", kT - 500ms);
  die({5, 200}, SIGKILL);
  settle();
  ASSERT_EQ(told.size(), 2u);
  EXPECT_EQ(told[0].cause.kind, "process");
  EXPECT_EQ(told[1].title, "second (pid 5) died by SIGKILL: cause unknown");
}

TEST_F(Killed, why_a_cause_is_unknown_is_said) {
  KnownWorld late;
  late.watching(kT - 2s);
  rule.on_fact(death(kNginx, SIGKILL), late, told);
  rule.on_time(kT + 2s, late, told);
  ASSERT_EQ(told.size(), 1u);
  EXPECT_THAT(told[0].cause.detail, HasSubstr("only since 2 s before"));

  KnownWorld never;
  rule.on_fact(death(kSshd, SIGKILL), never, told);
  rule.on_time(kT + 2s, never, told);
  ASSERT_EQ(told.size(), 2u);
  EXPECT_THAT(told[1].cause.detail, HasSubstr("not known since when"));

  lose(kT - 10s, kT - 9s);
  die(kBash, SIGKILL);
  settle();
  ASSERT_EQ(told.size(), 3u);
  EXPECT_THAT(told[2].cause.detail, HasSubstr("3 critical records were lost"));
}

TEST_F(Killed, a_loss_of_critical_records_meanwhile_makes_less_sure) {
  hand(shot(kT - 1ms, kBash, kNginx, SIGKILL));
  lose(kT - 2ms, kT);
  die(kNginx, SIGKILL);
  const auto story = only();
  EXPECT_EQ(story.cause.entity, "bash (pid 700)");
  EXPECT_LT(story.confidence, 0.8);
  EXPECT_THAT(story.chain, Contains(HasSubstr("lost meanwhile")));
}

TEST_F(Killed, a_loss_elsewhen_or_of_another_class_changes_nothing) {
  hand(shot(kT - 1ms, kBash, kNginx, SIGKILL));
  lose(kT - 20s, kT - 10s);
  lose(kT + 1ms, kT + 2ms);
  lose(kT - 1ms, kT, TAPIO_STATE);
  lose(kT - 1ms, kT, TAPIO_NORMAL);
  die(kNginx, SIGKILL);
  EXPECT_GE(only().confidence, 0.95);
}

TEST_F(Killed, losses_of_other_observers_change_nothing) {
  hand(shot(kT - 1ms, kBash, kNginx, SIGKILL));
  hand(Lost{
      .from = kT - 2ms, .to = kT, .observer = "dns", .event_class = TAPIO_CRITICAL, .count = 3});
  die(kNginx, SIGKILL);
  EXPECT_GE(only().confidence, 0.95);
}

TEST_F(Killed, lost_signals_that_can_be_caught_make_less_sure_that_nobody_sent_one) {
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

TEST_F(Killed, nobody_catches_sigkill_so_lost_others_do_not_matter) {
  lose(kT - 3s, kT, TAPIO_NORMAL);
  leave(kNginx, 137);
  const auto story = only();
  EXPECT_THAT(story.title, HasSubstr("nobody killed it"));
  EXPECT_GE(story.confidence, 0.95);
}

TEST_F(Killed, across_cgroups_and_pid_namespaces_is_said) {
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

TEST_F(Killed, a_thread_directed_or_queued_signal_says_so) {
  auto fact = shot(kT - 1ms, kBash, kNginx, SIGUSR1);
  fact.by = SignalClass::tkill;
  hand(fact);
  die(kNginx, SIGUSR1);
  EXPECT_THAT(only().cause.detail,
              HasSubstr("sent SIGUSR1 to one thread of nginx (pid 900), with tgkill"));
}

TEST_F(Killed, a_sender_nobody_knows_is_not_invented) {
  hand(shot(kT - 1ms, {}, kNginx, SIGKILL));
  die(kNginx, SIGKILL);
  const auto story = only();
  EXPECT_EQ(story.cause.kind, "process");
  EXPECT_EQ(story.cause.entity, "");
  EXPECT_LT(story.confidence, 0.7);
  EXPECT_THAT(story.chain, Each(Not(HasSubstr("user 0"))));
}

TEST_F(Killed, a_user_id_that_is_not_known_is_not_said) {
  hand(shot(kT - 1ms, {77, 7}, kNginx, SIGKILL));
  die(kNginx, SIGKILL);
  const auto story = only();
  EXPECT_EQ(story.cause.entity, "thread (pid 77)");
  EXPECT_THAT(story.chain, Each(Not(HasSubstr("user"))));
}

TEST_F(Killed, a_sender_that_has_executed_since_goes_by_the_name_it_had) {
  auto fact = shot(kT - 1ms, kBash, kNginx, SIGKILL);
  fact.sender_name = "bash";
  hand(fact);
  exec(kBash, "sleep", kT + 5ms, 10);
  die(kNginx, SIGKILL);
  EXPECT_EQ(only().cause.entity, "bash (pid 700)");
}

TEST_F(Killed, who_was_only_forked_goes_by_the_name_that_it_took) {
  fork({6, 60}, kNginx, "nginx");
  fork({7, 70}, kNginx, "nginx");
  auto fact = shot(kT - 1ms, {6, 60}, {7, 70}, SIGKILL);
  fact.sender_name = "nginx-cleaner";
  hand(fact);
  die({7, 70}, SIGKILL);  // "leaving"
  EXPECT_EQ(only().title, "leaving (pid 7) was killed with SIGKILL by nginx-cleaner (pid 6)");
}

TEST_F(Killed, a_name_that_is_missing_is_taken_from_what_else_is_known) {
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

TEST_F(Killed, the_steps_are_in_the_order_in_which_they_happened) {
  start(kKill, kBash, "kill");
  hand(shot(kT - 2ms, kKill, kNginx, SIGKILL));
  die(kNginx, SIGKILL);
  leave(kKill, 0, kT + 1ms, kBash);
  const auto story = only();
  ASSERT_GE(story.chain.size(), 2u);
  EXPECT_THAT(story.chain.end()[-2], HasSubstr("was killed 2 ms after the signal"));
  EXPECT_EQ(story.chain.back(), "kill (pid 812) itself ended 3 ms after it had sent it");
}

TEST_F(Killed, a_parent_that_was_ending_did_it_by_parent_death_signal) {
  leave(kBash, 0, kT - 2ms);
  hand(shot(kT - 1ms, kBash, kNginx, SIGTERM));
  die(kNginx, SIGTERM);
  EXPECT_THAT(only().chain, Contains(HasSubstr("PR_SET_PDEATHSIG")));
}

TEST_F(Killed, by_its_own_abort) {
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

TEST_F(Killed, who_catches_a_signal_and_raises_it_again_was_killed_by_its_sender) {
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

TEST_F(Killed, by_a_fault_of_its_own_with_the_reason) {
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

TEST_F(Killed, fault_codes_are_put_into_words) {
  EXPECT_EQ(fault_detail(SIGSEGV, SEGV_ACCERR), "invalid memory access (no permission)");
  EXPECT_EQ(fault_detail(SIGFPE, FPE_INTDIV), "arithmetic error (integer division by zero)");
  EXPECT_EQ(fault_detail(SIGBUS, BUS_ADRALN), "bus error (misaligned address)");
  EXPECT_EQ(fault_detail(SIGILL, ILL_ILLOPC), "illegal instruction (illegal opcode)");
  EXPECT_EQ(fault_detail(SIGSEGV, 77), "invalid memory access (code 77)");
}

TEST_F(Killed, by_its_timer) {
  auto fact = shot(kT - 1ms, {}, kNginx, SIGALRM);
  fact.by = SignalClass::timer;
  hand(fact);
  die(kNginx, SIGALRM);
  const auto story = only();
  EXPECT_EQ(story.cause.kind, "timer");
  EXPECT_EQ(story.title, "nginx (pid 900) was killed with SIGALRM by its own timer");
}

TEST_F(Killed, by_the_kernel_without_a_reason_claims_none) {
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

TEST_F(Killed, with_its_pid_namespace_when_the_first_process_of_it_ends) {
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

TEST_F(Killed, with_its_pid_namespace_says_why_the_first_process_ended) {
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

TEST_F(Killed, with_its_pid_namespace_when_why_is_not_known_it_only_ended) {
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

TEST_F(Killed, from_the_terminal) {
  auto fact = shot(kT - 1ms, {}, kNginx, SIGINT);
  fact.by = SignalClass::kernel;
  hand(fact);
  die(kNginx, SIGINT);
  const auto story = only();
  EXPECT_EQ(story.title, "nginx (pid 900) was killed with SIGINT by its terminal (Ctrl-C)");
  EXPECT_EQ(story.cause.kind, "kernel");
}

TEST_F(Killed, by_a_limit) {
  auto fact = shot(kT - 1ms, kNginx, kNginx, SIGXFSZ);  // as the kernel has it
  hand(fact);
  die(kNginx, SIGXFSZ);
  const auto story = only();
  EXPECT_EQ(story.cause.kind, "kernel");
  EXPECT_THAT(story.title, HasSubstr("RLIMIT_FSIZE"));
}

TEST_F(Killed, by_seccomp_which_needs_no_signal) {
  die(kNginx, SIGSYS);
  const auto story = only();
  EXPECT_EQ(story.cause.kind, "kernel");
  EXPECT_THAT(story.cause.detail, HasSubstr("seccomp"));
}

TEST_F(Killed, a_writer_to_a_closed_pipe_is_no_story_unless_somebody_sent_it) {
  hand(shot(kT - 1ms, kNginx, kNginx, SIGPIPE));
  die(kNginx, SIGPIPE);
  auto by_kernel = shot(kT - 1ms, {}, kSshd, SIGPIPE);
  by_kernel.by = SignalClass::kernel;
  hand(by_kernel);
  die(kSshd, SIGPIPE);
  leave({3, 3}, 128 + SIGPIPE);
  settle();
  EXPECT_THAT(told, IsEmpty());

  hand(shot(kT + 2s, kInit, kBash, SIGPIPE));
  die(kBash, SIGPIPE, kT + 2s);
  EXPECT_EQ(only(kT + 4s).cause.kind, "process");
}

TEST_F(Killed, a_healthy_end_is_no_story) {
  leave(kNginx, 0);
  leave(kSshd, 1);
  leave(kBash, 128);
  leave({3, 3}, 128 + SIGCHLD);
  leave({4, 4}, 255);
  leave({5, 5}, 128 + 40);
  settle();
  EXPECT_THAT(told, IsEmpty());
}

TEST_F(Killed, a_status_137_that_nobody_caused_was_its_own) {
  leave(kNginx, 137);
  const auto story = only();
  EXPECT_EQ(story.title, "nginx (pid 900) exited with status 137 by itself: nobody killed it");
  EXPECT_EQ(story.cause.kind, "self");
  EXPECT_EQ(story.cause.detail, "exited by itself with status 137; no signal killed it");
  EXPECT_THAT(story.evidence, ElementsAre(RecordId{1, 99}));
  EXPECT_GE(story.confidence, 0.95);
}

TEST_F(Killed, a_shell_passes_on_what_its_child_died_of) {
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

TEST_F(Killed, a_shell_of_a_shell_passes_on_too_within_bounds) {
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

TEST_F(Killed, the_death_of_a_child_that_does_not_match_is_not_passed_on) {
  die({6, 60}, SIGTERM, kT - 2ms, 12, kNginx);  // another signal
  die({7, 70}, SIGKILL, kT - 11s, 12, kNginx);  // long before
  die({8, 80}, SIGKILL, kT + 1ms, 12, kNginx);  // after
  die({9, 90}, SIGKILL, kT - 1ms, 12, kBash);   // another's child
  leave(kNginx, 137);
  settle();
  const auto& own = *std::ranges::find(told, "nginx (pid 900)", &Story::entity);
  EXPECT_THAT(own.title, HasSubstr("by itself: nobody killed it"));
}

TEST_F(Killed, who_catches_a_signal_and_exits_accordingly_did_so_after_its_sender) {
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

TEST_F(Killed, a_signal_of_long_ago_is_no_cause) {
  auto caught = shot(kT - 40s, kBash, kNginx, SIGTERM);
  caught.lethal = false;
  hand(caught);
  hand(shot(kT - 1s, kBash, kNginx, SIGUSR1));  // keeps the target remembered
  leave(kNginx, 143);
  EXPECT_EQ(only().cause.kind, "self");
}

TEST_F(Killed, storms_of_signals_keep_their_bounds) {
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

TEST_F(Killed, a_crowd_of_senders_makes_less_sure) {
  for (std::uint32_t i = 1; i <= 20; ++i) hand(shot(kT - 1ms, {i + 2000, i}, kNginx, SIGUSR1));
  hand(shot(kT - 1us, kBash, kNginx, SIGTERM));
  die(kNginx, SIGTERM);
  const auto story = only();
  EXPECT_EQ(story.cause.entity, "bash (pid 700)");
  EXPECT_LE(story.confidence, 0.7);
}

TEST_F(Killed, storms_of_deaths_keep_their_bounds_and_lose_no_story) {
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

TEST_F(Killed, many_losses_melt_together_and_stay_losses) {
  for (int i = 0; i < 1000; ++i) lose(kT - 1s + 1us * i, kT - 1s + 1us * i);
  die(kNginx, SIGKILL);
  EXPECT_THAT(only().cause.detail, HasSubstr("3000 critical records"));
}

TEST_F(Killed, the_descriptor_makes_the_rule_and_runs_in_the_engine) {
  const RuleDescriptor* const rules[] = {&descriptor};
  Stories stories(rules, {.told = [](const Story&) { return RecordId{1, 1}; },
                          .suppressed = [](const Lost&) {}});
  stories.on_fact(death(kNginx, SIGKILL), world);
  stories.on_time(kT + 2s, world);
  EXPECT_EQ(stories.count(), 1u);
}

}  // namespace
}  // namespace tapio::killed
