// SPDX-License-Identifier: Apache-2.0
#include "enrich/processes.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <malloc.h>

#include <cstdio>

#include "enrich/world.hpp"

namespace tapio {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;

constexpr ProcessId kShell{100, 10};
constexpr ProcessId kChild{200, 20};

ProcessStarted start(MonotonicTime time, ProcessId id, ProcessId parent = kShell) {
  return {.time = time,
          .process = id,
          .parent = parent,
          .virtual_pid = id.pid,
          .pid_namespace = 1,
          .cgroup_id = 7,
          .uid = 1000,
          .name = "forked"};
}

class Exec {
 public:
  Exec(MonotonicTime time, ProcessId id, std::string_view name,
       std::vector<std::string_view> args = {}, ProcessId parent = {})
      : args_(std::move(args)) {
    fact_.time = time;
    fact_.process = id;
    fact_.parent = parent;
    fact_.name = name;
    fact_.executable = name;
    fact_.args = args_;
    fact_.credentials.uid = 5;
  }
  operator const ProcessExecuted&() const { return fact_; }  // NOLINT(google-explicit-constructor)

 private:
  std::vector<std::string_view> args_;
  ProcessExecuted fact_;
};

ProcessExited exit(MonotonicTime time, ProcessId id, std::int32_t signal = 0) {
  return {.time = time, .process = id, .parent = kShell, .signal = signal, .name = "leaving"};
}

SignalSent sent(MonotonicTime time, ProcessId target, std::uint64_t target_cgroup_id = 0) {
  SignalSent fact;
  fact.time = time;
  fact.target = target;
  fact.target_cgroup_id = target_cgroup_id;
  return fact;
}

CredentialsChanged changed(MonotonicTime time, ProcessId id, std::uint32_t uid) {
  return {.time = time, .process = id, .after = {.uid = uid}, .name = "changed"};
}

Lost lost(MonotonicTime from, MonotonicTime to, tapio_class event_class) {
  return {.from = from, .to = to, .observer = "process", .event_class = event_class, .count = 1};
}

TEST(Processes, a_child_has_its_parents_image_until_it_executes) {
  Processes table;
  table.executed(Exec(1s, kShell, "bash", {"bash", "-l"}));

  table.started(start(2s, kChild));

  const Process* child = table.find(kChild);
  ASSERT_TRUE(child);
  EXPECT_EQ(child->image, table.find(kShell)->image);
  EXPECT_THAT(child->image->args(), ElementsAre("bash", "-l"));
  EXPECT_EQ(child->credentials->uid, 1000u) << "its own word on the user id counts";

  table.executed(Exec(3s, kChild, "ls", {"ls", "", "-a"}));

  EXPECT_THAT(table.find(kChild)->image->args(), ElementsAre("ls", "", "-a"));
  EXPECT_EQ(table.find(kChild)->image->executable, "ls");
  EXPECT_EQ(table.find(kChild)->executed, 3s);
  EXPECT_EQ(table.find(kChild)->credentials->uid, 5u);
  EXPECT_THAT(table.find(kShell)->image->args(), ElementsAre("bash", "-l"));
}

TEST(Processes, a_shared_text_is_counted_once_and_let_go_with_its_last_user) {
  Processes table;
  table.executed(Exec(1s, kShell, "bash", {"12345"}));
  table.started(start(2s, kChild));
  EXPECT_EQ(table.stats().text_bytes, 4u + 6u);

  table.exited(exit(3s, kChild));
  table.exited(exit(3s, kShell));
  EXPECT_EQ(table.stats().text_bytes, 10u);
  table.expire(10min);

  EXPECT_EQ(table.stats().text_bytes, 0u);
  EXPECT_EQ(table.stats().exited, 0u);
  EXPECT_FALSE(table.find(kShell));
}

TEST(Processes, an_exited_one_is_readable_for_five_minutes) {
  Processes table;
  table.started(start(1s, kChild));
  table.exited(exit(2s, kChild, 9));

  table.expire(2s + 5min);
  const Process* gone = table.find(kChild);
  ASSERT_TRUE(gone);
  EXPECT_EQ(gone->life, Life::exited);
  EXPECT_EQ(gone->exit_signal, 9);
  EXPECT_EQ(gone->name, "forked") << "the name of the thread that went last says less";

  table.expire(2s + 5min + 1ns);
  EXPECT_FALSE(table.find(kChild));
}

TEST(Processes, the_parent_is_who_forked_it_whatever_an_exec_says_later) {
  Processes table;
  auto exec = ProcessExecuted(Exec(1s, kChild, "daemon"));
  exec.parent = {1, 0};
  table.executed(exec);
  EXPECT_EQ(table.find(kChild)->parent, (ProcessId{1, 0}));

  table.started(start(900ms, kChild));  // late: the fork knows better
  table.executed(exec);

  EXPECT_EQ(table.find(kChild)->parent, kShell);
}

TEST(Processes, a_reused_pid_is_another_process) {
  Processes table;
  table.started(start(1s, {7, 100}));
  table.exited(exit(2s, {7, 100}, 9));
  table.started(start(3s, {7, 300}));

  EXPECT_EQ(table.find(7)->id, (ProcessId{7, 300}));
  EXPECT_EQ(table.find({7, 300})->life, Life::running);
  EXPECT_EQ(table.find({7, 100})->exit_signal, 9);
  EXPECT_FALSE(table.find({7, 200}));
  EXPECT_EQ(table.stats().unknown_exits, 0u);
}

TEST(Processes, a_reused_pid_proves_that_its_former_owner_is_gone) {
  Processes table;
  table.started(start(1s, {7, 100}));
  table.started(start(3s, {7, 300}));

  EXPECT_EQ(table.find({7, 100})->life, Life::unknown);
  EXPECT_EQ(table.find({7, 300})->life, Life::running);
  EXPECT_EQ(table.stats().unknown_exits, 1u);
  EXPECT_EQ(table.stats().live, 1u);

  table.exited(exit(2s, {7, 100}, 15));  // it comes after all
  EXPECT_EQ(table.find({7, 100})->life, Life::exited);
  EXPECT_EQ(table.find({7, 100})->exit_signal, 15);
  EXPECT_EQ(table.find({7, 300})->life, Life::running);
}

TEST(Processes, a_late_word_of_an_older_owner_does_not_displace_the_new_one) {
  Processes table;
  table.started(start(3s, {7, 300}));
  table.started(start(1s, {7, 100}));

  EXPECT_EQ(table.find(7)->id, (ProcessId{7, 300}));
  EXPECT_EQ(table.find({7, 300})->life, Life::running);
  EXPECT_EQ(table.find({7, 100})->life, Life::unknown);
}

TEST(Processes, a_pid_that_comes_round_within_one_tick_starts_afresh) {
  Processes table;
  table.executed(Exec(1000ms, {7, 100}, "old", {"old"}));
  table.exited(exit(1001ms, {7, 100}, 9));

  table.started(start(1002ms, {7, 100}, {8, 1}));

  EXPECT_EQ(table.find(7)->life, Life::running);
  EXPECT_EQ(table.find(7)->exit_signal, 0);
  EXPECT_TRUE(table.find(7)->image->args().empty());
}

TEST(Processes, a_start_that_comes_after_the_exit_raises_nobody_from_the_dead) {
  Processes table;
  table.exited(exit(2s, kChild, 9));
  EXPECT_EQ(table.find(kChild)->name, "leaving");
  table.started(start(1s, kChild));

  EXPECT_EQ(table.find(kChild)->life, Life::exited);
  EXPECT_EQ(table.find(kChild)->exited, 2s);
  EXPECT_EQ(table.find(kChild)->started, 1s);
  EXPECT_EQ(table.stats().live, 0u);
}

TEST(Processes, a_start_that_comes_after_the_exec_overwrites_nothing_of_it) {
  Processes table;
  table.executed(Exec(1s, kShell, "bash", {"bash"}));
  table.executed(Exec(3s, kChild, "ls", {"ls"}));

  table.started(start(2s, kChild));

  EXPECT_EQ(table.find(kChild)->name, "ls");
  EXPECT_THAT(table.find(kChild)->image->args(), ElementsAre("ls"));
  EXPECT_EQ(table.find(kChild)->credentials->uid, 5u);
  EXPECT_EQ(table.find(kChild)->started, 2s);
  EXPECT_EQ(table.find(kChild)->virtual_pid, 200u);
}

TEST(Processes, a_child_does_not_get_what_its_parent_executed_after_the_fork) {
  Processes table;
  table.executed(Exec(3s, kShell, "vim", {"vim"}));
  table.started(start(2s, kChild));
  EXPECT_TRUE(table.find(kChild)->image->args().empty());
}

TEST(Processes, an_older_exec_is_stale) {
  Processes table;
  table.executed(Exec(3s, kChild, "second"));
  table.executed(Exec(2s, kChild, "first"));
  EXPECT_EQ(table.find(kChild)->name, "second");
  EXPECT_EQ(table.stats().stale, 1u);
}

TEST(Processes, an_exec_behind_the_exit_fills_in_the_dead) {
  Processes table;
  table.exited(exit(2s, kChild, 9));
  table.executed(Exec(1s, kChild, "short", {"short"}));
  EXPECT_EQ(table.find(kChild)->life, Life::exited);
  EXPECT_EQ(table.find(kChild)->name, "short");
  EXPECT_THAT(table.find(kChild)->image->args(), ElementsAre("short"));
}

TEST(Processes, the_second_sight_of_an_exit_or_start_counts_for_nothing) {
  Processes table;
  table.started(start(1s, kChild));
  table.started(start(1s, kChild));
  table.exited(exit(2s, kChild, 9));
  table.exited(exit(3s, kChild, 0));

  EXPECT_EQ(table.find(kChild)->exit_signal, 9);
  EXPECT_EQ(table.find(kChild)->exited, 2s);
  EXPECT_EQ(table.stats().duplicates, 2u);
  EXPECT_EQ(table.stats().exited, 1u);
}

TEST(Processes, a_signal_makes_both_ends_known) {
  Processes table;
  table.signaled({.time = 1s,
                  .sender = kShell,
                  .sender_name = "bash",
                  .sender_cgroup_id = 3,
                  .target = kChild,
                  .target_name = "sleep",
                  .target_cgroup_id = 4});
  table.signaled(sent(2s, kChild, 5));  // from the kernel

  EXPECT_EQ(table.find(kShell)->name, "bash");
  EXPECT_EQ(table.find(kChild)->name, "sleep");
  EXPECT_EQ(table.find(kChild)->cgroup_id, 5u);
  EXPECT_EQ(table.stats().live, 2u);
  EXPECT_EQ(table.stats().never_started, 2u);
}

TEST(Processes, a_full_table_forgets_who_was_silent_longest) {
  Processes table({.live = 3});
  table.executed(Exec(1s, kShell, "bash"));
  table.started(start(2s, {1, 1}));
  table.started(start(3s, {2, 2}));
  table.started(start(4s, {3, 3}));  // bash forked just now

  EXPECT_TRUE(table.find(kShell));
  EXPECT_FALSE(table.find({1, 1}));
  EXPECT_EQ(table.stats().live, 3u);
  EXPECT_EQ(table.stats().evicted_live, 1u);
}

TEST(Processes, the_dead_are_bounded_and_the_first_dead_goes_first) {
  Processes table({.exited = 2});
  for (std::uint32_t pid = 1; pid <= 5; ++pid) {
    table.started(start(1s * pid, {pid, pid}));
    table.exited(exit(1s * pid, {pid, pid}));
  }
  EXPECT_EQ(table.stats().exited, 2u);
  EXPECT_EQ(table.stats().evicted_exited, 3u);
  EXPECT_FALSE(table.find({3, 3}));
  EXPECT_TRUE(table.find({4, 4}));
}

TEST(Processes, one_pid_has_a_bounded_past) {
  Processes table;
  for (std::uint64_t life = 1; life <= 100; ++life) {
    table.started(start(1s * life, {7, life}));
    table.exited(exit(1s * life + 1ms, {7, life}));
  }
  EXPECT_EQ(table.stats().exited, 8u);
  EXPECT_EQ(table.stats().evicted_exited, 92u);
  EXPECT_EQ(table.find(7)->id.start_ticks, 100u);
  EXPECT_TRUE(table.find({7, 93}));
  EXPECT_FALSE(table.find({7, 92}));

  table.exited(exit(1s, {7, 1}));  // the oldest once more
  EXPECT_EQ(table.find(7)->id.start_ticks, 100u);
  EXPECT_EQ(table.stats().exited, 8u);
}

TEST(Processes, what_one_after_another_runs_is_kept_once_and_let_go_with_the_last) {
  Processes table;
  table.executed(Exec(1s, {1, 1}, "ls", {"-a"}));
  table.executed(Exec(2s, {2, 2}, "ls", {"-a"}));
  EXPECT_EQ(table.stats().text_bytes, 2u + 3u);
  for (const std::string_view arg : {"-ab", "-", "-a", ""})
    table.executed(Exec(3s, {3, 3}, "ls", {arg}));
  EXPECT_THAT(table.find({2, 2})->image->args(), ElementsAre("-a"));
  EXPECT_THAT(table.find({3, 3})->image->args(), ElementsAre(""));
  EXPECT_EQ(table.stats().text_bytes, 2u + 3u + 2u + 1u);
  for (const std::uint32_t pid : {1, 2, 3}) table.exited(exit(4s, {pid, pid}));
  table.expire(10min);
  EXPECT_EQ(table.stats().text_bytes, 0u);
  table.executed(Exec(11min, {4, 4}, "ls", {""}));
  EXPECT_EQ(table.stats().text_bytes, 2u + 1u);
}

TEST(Processes, over_the_budget_the_dead_lose_their_arguments_before_the_living) {
  const std::string text(399, 'x');
  Processes table({.text_bytes = 1000});
  table.executed(Exec(1s, {1, 1}, "a", {text}));
  table.executed(Exec(2s, {2, 2}, "b", {text}));
  table.exited(exit(3s, {2, 2}));
  table.executed(Exec(4s, {3, 3}, "c", {text}));

  EXPECT_TRUE(table.find({2, 2})->image->args().empty());
  EXPECT_EQ(table.find({2, 2})->image->executable, "b");
  EXPECT_THAT(table.find({1, 1})->image->args(), ElementsAre(text));
  EXPECT_THAT(table.find({3, 3})->image->args(), ElementsAre(text));

  table.executed(Exec(5s, {4, 4}, "d", {text}));  // nobody dead has anything left
  EXPECT_THAT(table.find({1, 1})->image->args(), ElementsAre(text.substr(0, 128)));
  EXPECT_LE(table.stats().text_bytes, 1000u);
  EXPECT_EQ(table.stats().texts_cut, 2u);
}

TEST(Processes, the_text_budget_holds_whatever_comes) {
  const std::string text(3000, 'x');
  Processes table({.text_bytes = 2000});
  for (std::uint32_t pid = 1; pid <= 500; ++pid) {
    table.executed(Exec(1s * pid, {pid, pid}, "program", {text, text}));
    table.started(start(1s * pid + 1ms, {pid + 1000, pid}, {pid, pid}));
    if (pid % 3 == 0) table.exited(exit(1s * pid + 2ms, {pid, pid}));
    ASSERT_LE(table.stats().text_bytes, 2000u);
  }
  for (std::uint32_t pid = 1; pid <= 500; ++pid) {
    table.exited(exit(1000s, {pid, pid}));
    table.exited(exit(1000s, {pid + 1000, pid}));
  }
  table.expire(1h);
  EXPECT_EQ(table.stats().text_bytes, 0u);
  EXPECT_EQ(table.stats().live + table.stats().exited, 0u);
}

TEST(Processes, arguments_are_cut_at_their_bound) {
  Processes table({.args_bytes = 10});
  table.executed(Exec(1s, kChild, "x", {"12345678", "abcdef", "never"}));
  EXPECT_THAT(table.find(kChild)->image->args(), ElementsAre("12345678", "a"));
}

TEST(Processes, who_is_not_in_proc_after_a_loss_is_gone_for_an_unknown_reason) {
  Processes table;
  table.started(start(1s, {1, 1}));
  table.started(start(1s, {2, 2}));
  table.started(start(1s, {3, 3}));
  table.begin_resync(5s);
  table.seen(Exec(5s, {1, 1}, "one"));
  table.seen(Exec(5s, {9, 9}, "nine"));
  table.started(start(6s, {4, 4}));  // behind the walk
  table.signaled(sent(6s, {3, 3}));
  table.end_resync(Coverage::complete);

  EXPECT_EQ(table.find({1, 1})->life, Life::running);
  EXPECT_EQ(table.find({2, 2})->life, Life::unknown);
  EXPECT_EQ(table.find({2, 2})->exit_signal, 0);
  EXPECT_EQ(table.find({3, 3})->life, Life::running);
  EXPECT_EQ(table.find({4, 4})->life, Life::running);
  EXPECT_EQ(table.find({9, 9})->life, Life::running);
  EXPECT_EQ(table.stats().unknown_exits, 1u);
}

TEST(Processes, workers_that_are_found_share_the_text_of_their_parent) {
  Processes table;
  table.seen(Exec(1s, kShell, "nginx", {"nginx"}));
  table.seen(Exec(1s, kChild, "nginx", {"nginx"}, kShell));
  table.seen(Exec(1s, {7, 7}, "nginx", {"nginx", "-t"}, kShell));

  EXPECT_EQ(table.find(kChild)->image, table.find(kShell)->image);
  EXPECT_NE(table.find(7)->image, table.find(kShell)->image);
}

TEST(Processes, while_memory_is_short_fewer_that_ended_are_kept) {
  Processes table({.exited = 10, .spare_exited = 2});
  const auto end = [&](std::uint32_t pid) {
    table.started(start(1s, {pid, 1}));
    table.exited(exit(2s, {pid, 1}));
  };
  for (std::uint32_t pid = 1; pid <= 8; ++pid) end(pid);
  table.spare_memory(true);
  EXPECT_EQ(table.stats().exited, 2u);
  EXPECT_TRUE(table.find(8));
  end(9);
  EXPECT_EQ(table.stats().exited, 2u);
  EXPECT_EQ(table.stats().evicted_exited, 7u);
  table.spare_memory(false);
  for (std::uint32_t pid = 10; pid <= 20; ++pid) end(pid);
  EXPECT_EQ(table.stats().exited, 10u);
}

TEST(Processes, a_partial_walk_proves_nobody_gone) {
  Processes table;
  table.started(start(1s, kChild));
  table.begin_resync(5s);
  table.end_resync(Coverage::partial);
  EXPECT_EQ(table.find(kChild)->life, Life::running);
}

TEST(Processes, what_proc_shows_neither_undoes_an_exit_nor_a_newer_exec) {
  Processes table;
  table.exited(exit(2s, {1, 1}, 9));
  table.executed(Exec(2s, {2, 2}, "new"));
  table.begin_resync(1s);
  table.seen(Exec(1s, {1, 1}, "old"));
  table.seen(Exec(1s, {2, 2}, "old"));

  EXPECT_EQ(table.find({1, 1})->life, Life::exited);
  EXPECT_EQ(table.find({2, 2})->name, "new");
}

TEST(Processes, who_was_given_up_and_is_in_proc_after_all_lives) {
  Processes table;
  table.executed(Exec(1s, kChild, "stubborn", {"a"}));
  table.begin_resync(5s);
  table.end_resync(Coverage::complete);
  ASSERT_EQ(table.find(kChild)->life, Life::unknown);

  table.begin_resync(6s);
  table.seen(Exec(6s, kChild, "stubborn", {"a"}));
  table.end_resync(Coverage::complete);

  EXPECT_EQ(table.find(kChild)->life, Life::running);
  EXPECT_EQ(table.stats().live, 1u);
  EXPECT_EQ(table.stats().exited, 0u);
}

TEST(World, ancestors_are_the_forking_parents_also_the_dead_ones) {
  KnownWorld world;
  world.apply(start(1s, {2, 2}, {1, 1}));
  world.apply(ProcessExecuted(Exec(1s, {1, 1}, "init")));
  world.apply(start(2s, {3, 3}, {2, 2}));
  world.apply(exit(3s, {2, 2}));

  std::vector<std::uint32_t> pids;
  for (const auto* process : world.ancestors({3, 3})) pids.push_back(process->id.pid);

  EXPECT_THAT(pids, ElementsAre(2, 1));
  EXPECT_TRUE(world.ancestors({77, 7}).empty());
}

TEST(World, ancestry_is_bounded_even_where_it_bites_its_tail) {
  KnownWorld world;
  world.apply(start(1s, {2, 2}, {3, 3}));
  world.apply(start(1s, {3, 3}, {2, 2}));
  EXPECT_EQ(world.ancestors({2, 2}).size(), World::kMaxAncestors);
}

TEST(World, lost_state_moves_the_watch_and_wants_a_resync) {
  KnownWorld world;
  world.apply(lost(1s, 2s, TAPIO_STATE));
  EXPECT_EQ(world.watching_since(), 0s) << "it never began";
  world.watching(3s);
  world.apply(lost(4s, 5s, TAPIO_CRITICAL));
  EXPECT_EQ(world.watching_since(), 3s);

  world.apply(lost(4s, 5s, TAPIO_STATE));
  EXPECT_EQ(world.watching_since(), 5s);
  EXPECT_TRUE(world.wants_resync());

  world.begin_resync(6s);
  EXPECT_EQ(world.watching_since(), 6s);
  EXPECT_FALSE(world.wants_resync());
}

TEST(Processes, a_fork_storm_costs_constant_time_and_bounded_memory) {
  Processes table({.live = 1000, .exited = 1000});
  table.executed(Exec(1s, kShell, "bash", {"bash"}));
  for (std::uint32_t i = 0; i < 300'000; ++i) {
    const ProcessId id{1000 + i % 32'000, 100 + i / 100};
    const auto time = 1s + i * 50us;
    table.started(start(time, id));
    if (i % 7 != 0) table.exited(exit(time + 20us, id));  // every seventh exit is lost
  }
  EXPECT_LE(table.stats().live, 1000u);
  EXPECT_LE(table.stats().exited, 1000u);
  EXPECT_EQ(table.find(kShell)->life, Life::running);
}

TEST(World, a_hundred_thousand_processes_are_known_and_twice_as_many_stay_within_the_bounds) {
  constexpr ProcessLimits kLimits;
  const auto heap = [] {
    const auto info = ::mallinfo2();
    return info.uordblks + info.hblkhd;
  };
  const auto before = heap();
  KnownWorld world;
  const std::string long_argument(300, 'x');
  const auto grow_to = [&](std::uint32_t count) {
    for (auto pid = static_cast<std::uint32_t>(world.stats().live + world.stats().evicted_live) + 2;
         pid < count + 2; ++pid) {
      world.apply(start(1s + pid * 1us, {pid, pid}));
      world.apply(static_cast<const ProcessExecuted&>(Exec(2s + pid * 1us, {pid, pid},
                                                           "worker" + std::to_string(pid % 1000),
                                                           {"worker", long_argument})));
    }
  };
  grow_to(100'000);
  EXPECT_EQ(world.stats().live, 100'000u);
  EXPECT_EQ(world.stats().evicted_live, 0u);
  EXPECT_TRUE(world.process(50'000));
  const auto bytes = heap() - before;
  std::printf("    100,000 processes: %zu bytes each, %zu KiB of text\n", bytes / 100'000,
              world.stats().text_bytes / 1024);
  EXPECT_LT(bytes, 100u << 20);
  grow_to(200'000);
  EXPECT_EQ(world.stats().live, kLimits.live);
  EXPECT_EQ(world.stats().evicted_live, 200'000 - kLimits.live);
  EXPECT_LE(world.stats().text_bytes, kLimits.text_bytes);
  EXPECT_LT(heap() - before, 128u << 20);
}

TEST(Processes, changed_credentials_are_known_until_an_exec_brings_others) {
  Processes table;
  table.started(start(10ns, kChild));
  EXPECT_FALSE(table.find(kChild)->credentials);
  table.credentials_changed(changed(20ns, kChild, 33));
  EXPECT_TRUE(table.find(kChild)->credentials);
  EXPECT_EQ(table.find(kChild)->credentials->uid, 33u);

  table.executed(Exec(30ns, kChild, "program"));
  EXPECT_EQ(table.find(kChild)->credentials->uid, 5u);
  table.credentials_changed(changed(25ns, kChild, 33));
  EXPECT_EQ(table.find(kChild)->credentials->uid, 5u) << "that was before the exec";
  EXPECT_EQ(table.stats().stale, 1u);
}

TEST(Processes, an_exec_that_comes_late_still_brings_its_image) {
  Processes table;
  table.started(start(10ns, kChild));
  table.credentials_changed(changed(30ns, kChild, 33));
  table.executed(Exec(20ns, kChild, "program"));
  EXPECT_EQ(table.find(kChild)->image->executable, "program");
  EXPECT_EQ(table.find(kChild)->credentials->uid, 33u);
}

TEST(Processes, a_start_that_tells_all_credentials_needs_no_parent) {
  Processes table;
  auto fact = start(10ns, kChild);
  fact.credentials = Credentials{.uid = 1, .euid = 2, .user_namespace = 3};
  table.started(fact);
  EXPECT_TRUE(table.find(kChild)->credentials);
  EXPECT_EQ(*table.find(kChild)->credentials, *fact.credentials);
}

TEST(World, applies_changed_credentials) {
  KnownWorld world;
  world.apply(changed(10ns, kChild, 33));
  EXPECT_EQ(world.process(kChild)->credentials->uid, 33u);
}

}  // namespace
}  // namespace tapio
