// SPDX-License-Identifier: Apache-2.0
// The lives of containers, and who leaves them, from facts.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <memory>
#include <string>

#include "collected.hpp"
#include "container_observer.hpp"
#include "enrich/world.hpp"

namespace tapio::container {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

// A world with containers in it, and the observer that hears of all that happens there.
class ContainerLife : public testing::Test {
 protected:
  static constexpr ProcessId kRuntime{10, 100};                // on the host
  static constexpr ProcessId kMain{200, 2000};                 // of container A
  static constexpr std::uint64_t kA = 42, kB = 43, kHost = 7;  // cgroups
  static constexpr std::uint64_t kHostMounts = 1, kMountsOfA = 2, kMountsOfB = 3;
  static constexpr std::uint64_t kPidsOfA = 77;
  const std::string a = std::string(64, 'a'), b = std::string(64, 'b');

  ContainerLife() {
    hear(CgroupCreated{.cgroup_id = kHost, .path = "/system.slice/containerd.service"});
    execute(
        {.process = kRuntime, .mount_namespace = kHostMounts, .cgroup_id = kHost, .name = "runc"});
  }
  // As the pipeline does it: first the world, then who needs the fact.
  void hear(const Fact& fact) {
    world.apply(fact);
    observer.on_fact(fact, out);
  }
  void make(const std::string& id, std::uint64_t cgroup, MonotonicTime time = MonotonicTime(1)) {
    hear(CgroupCreated{
        .time = time, .evidence = {1, 1}, .cgroup_id = cgroup, .path = "/docker/" + id});
  }
  void execute(ProcessExecuted fact) {
    if (fact.pid_namespace == 0) fact.pid_namespace = Boundary::kHostPidNamespace;
    fact.evidence = {1, 2};
    hear(fact);
  }
  // Container A as runc makes it: its main process is the first of its pid namespace.
  void run_a(MonotonicTime time = MonotonicTime(2)) {
    make(a, kA);
    hear(ProcessStarted{.time = time,
                        .process = kMain,
                        .parent = kRuntime,
                        .virtual_pid = 1,
                        .pid_namespace = kPidsOfA,
                        .cgroup_id = kHost,
                        .name = "runc"});
    execute({.time = time,
             .process = kMain,
             .parent = kRuntime,
             .virtual_pid = 1,
             .pid_namespace = kPidsOfA,
             .mount_namespace = kMountsOfA,
             .cgroup_id = kA,
             .name = "web",
             .executable = "/bin/web"});
  }
  void exit(std::int32_t code, std::int32_t signal = 0, MonotonicTime time = MonotonicTime(9)) {
    hear(ProcessExited{.time = time,
                       .process = kMain,
                       .cgroup_id = kA,
                       .code = code,
                       .signal = signal,
                       .name = "web"});
  }
  [[nodiscard]] std::vector<std::string_view> told() const {
    std::vector<std::string_view> list;
    for (const Record& record : out.records) list.push_back(record.schema->name);
    return list;
  }

  KnownWorld world;
  Collected out{world, [this](const Fact& fact) { world.apply(fact); }};
  ContainerObserver observer{{.rate_per_second = 0}, std::nullopt, {}, {}, kHostMounts};
};

using LifeOfContainers = ContainerLife;

TEST_F(LifeOfContainers, is_told_from_the_beginning_to_the_end) {
  run_a(1s);
  exit(0, 0, 5s);
  hear(CgroupRemoved{.time = 6s, .cgroup_id = kA});
  EXPECT_THAT(told(), ElementsAre("container.created", "container.started", "container.stopped",
                                  "container.removed"));
  for (const Record& record : out.records) EXPECT_EQ(record.origin.cgroup_id, kA);
  EXPECT_EQ(out.records[1].origin.pid, kMain.pid);
  EXPECT_EQ(std::get<std::chrono::nanoseconds>(*value_of(out.records[2], "container.lifetime")),
            4s);
  EXPECT_EQ(std::get<std::int64_t>(*value_of(out.records[2], "container.exit.code")), 0);
}

TEST_F(LifeOfContainers, another_status_or_a_crash_is_a_death) {
  run_a();
  exit(3);
  EXPECT_EQ(told().back(), "container.died");
  EXPECT_EQ(out.get<std::int64_t>("container.exit.code"), 3);
  EXPECT_FALSE(out.known("container.exit.signal"));
}

class AskedToEnd : public ContainerLife {
 protected:
  AskedToEnd() {
    run_a(1s);
    hear(SignalSent{.time = 3s,
                    .sender = kRuntime,
                    .sender_name = "runc",
                    .sender_cgroup_id = kHost,
                    .target = kMain,
                    .target_cgroup_id = kA,
                    .signal = SIGTERM});
  }
};

TEST_F(AskedToEnd, who_ends_by_it_has_stopped) {
  exit(0, SIGTERM, 4s);
  EXPECT_EQ(told().back(), "container.stopped");
  EXPECT_EQ(out.text("container.exit.asked_by"), "runc (pid 10)");
}

TEST_F(AskedToEnd, and_who_passes_it_on_as_a_status) {
  exit(128 + SIGTERM, 0, 4s);
  EXPECT_EQ(told().back(), "container.stopped");
}

TEST_F(AskedToEnd, who_ends_by_something_else_has_died) {
  exit(0, SIGSEGV, 4s);
  EXPECT_EQ(told().back(), "container.died");
  EXPECT_FALSE(out.known("container.exit.asked_by"));
}

TEST_F(LifeOfContainers, a_signal_from_inside_or_long_ago_is_no_stop) {
  run_a(1s);
  SignalSent signal{.time = 3s,
                    .sender = {300, 3000},
                    .sender_cgroup_id = kA,
                    .target = kMain,
                    .target_cgroup_id = kA,
                    .signal = SIGTERM};
  hear(signal);
  signal.sender = kRuntime;
  signal.sender_cgroup_id = kHost;
  signal.time = 1s;
  hear(signal);
  exit(0, SIGTERM, 1s + Lifecycle::kAsked);
  EXPECT_EQ(told().back(), "container.died");
  EXPECT_EQ(out.text("container.exit.signal"), "SIGTERM");
}

TEST_F(LifeOfContainers, a_kill_for_memory_is_told_and_the_end_says_so) {
  run_a();
  hear(OomKilled{.time = 3s, .victim = {201, 2001}, .cgroup_id = kA});
  EXPECT_EQ(told().back(), "container.oom");
  EXPECT_EQ(out.get<bool>("container.oom.main"), false);
  hear(OomKilled{.time = 4s, .victim = kMain, .cgroup_id = kA});
  EXPECT_EQ(out.get<bool>("container.oom.main"), true);
  exit(0, SIGKILL, 4s);
  EXPECT_EQ(told().back(), "container.died");
  EXPECT_EQ(out.get<bool>("container.exit.oom"), true);
  EXPECT_EQ(out.get<std::uint64_t>("container.oom_kills"), 2u);
}

// A death by signal comes at once, the rest in its turn.
TEST_F(LifeOfContainers, who_is_dead_before_its_start_is_told_is_told_all_the_same) {
  exit(0, SIGKILL, 2s);
  run_a(1s);
  EXPECT_THAT(told(), ElementsAre("container.created", "container.started", "container.died"));
  exit(0, SIGKILL, 2s);
  EXPECT_EQ(told().size(), 3u) << "once";
}

TEST_F(LifeOfContainers, in_a_shared_pid_namespace_the_first_with_mounts_of_its_own_is_the_main) {
  make(a, kA);
  execute({.time = 2s,
           .process = {150, 1},
           .parent = kRuntime,
           .mount_namespace = kHostMounts,
           .cgroup_id = kA});
  EXPECT_THAT(told(), ElementsAre("container.created"));
  execute({.time = 3s,
           .process = kMain,
           .parent = kRuntime,
           .mount_namespace = kMountsOfA,
           .cgroup_id = kA});
  EXPECT_EQ(told().back(), "container.started");
  EXPECT_EQ(out.records.back().origin.pid, kMain.pid);
}

TEST_F(LifeOfContainers, what_was_there_before_is_known_and_not_told_as_new) {
  hear(CgroupCreated{.time = 1s, .cgroup_id = kA, .path = "/docker/" + a});
  EXPECT_THAT(told(), IsEmpty());
  hear(CgroupRemoved{.time = 6s, .cgroup_id = kA});
  EXPECT_THAT(told(), ElementsAre("container.removed"));
  EXPECT_FALSE(out.known("container.age"));
}

TEST_F(LifeOfContainers, cgroups_below_it_are_no_containers) {
  run_a();
  hear(CgroupCreated{
      .time = 3s, .evidence = {1, 5}, .cgroup_id = 99, .path = "/docker/" + a + "/init"});
  hear(CgroupRemoved{.time = 4s, .cgroup_id = 99});
  EXPECT_THAT(told(), ElementsAre("container.created", "container.started"));
}

TEST_F(LifeOfContainers, nor_are_those_below_one_that_was_there_before) {
  hear(CgroupCreated{.cgroup_id = kA, .path = "/docker/" + a});
  hear(CgroupCreated{
      .time = 3s, .evidence = {1, 5}, .cgroup_id = 99, .path = "/docker/" + a + "/init"});
  hear(CgroupRemoved{.time = 4s, .cgroup_id = 99});
  EXPECT_THAT(told(), IsEmpty());
}

TEST_F(LifeOfContainers, can_be_switched_off) {
  auto settings = config::section<Config>();
  settings->as<Config>().lifecycle = false;
  observer.on_settings(*settings);
  run_a();
  exit(1);
  EXPECT_THAT(told(), IsEmpty());
}

class BorderOfContainers : public ContainerLife {
 protected:
  static constexpr ProcessId kShell{201, 2001};  // a child of the main process

  BorderOfContainers() {
    run_a(1s);
    born(kShell, kMain);
    run(kShell, kMountsOfA, 2s);
  }
  void born(ProcessId child, ProcessId parent, std::uint64_t pids = kPidsOfA) {
    hear(ProcessStarted{.time = 2s,
                        .evidence = {1, 8},
                        .process = child,
                        .parent = parent,
                        .pid_namespace = pids,
                        .cgroup_id = kA,
                        .name = "sh"});
  }
  void run(ProcessId process, std::uint64_t mounts, MonotonicTime time = 3s) {
    execute({.time = time,
             .process = process,
             .parent = kMain,
             .pid_namespace = kPidsOfA,
             .mount_namespace = mounts,
             .cgroup_id = kA,
             .name = "sh",
             .executable = "/bin/sh"});
  }
  [[nodiscard]] int left() const {
    return static_cast<int>(std::ranges::count(told(), "container.left"));
  }
};

TEST_F(BorderOfContainers, who_enters_the_mounts_of_the_host_got_out) {
  run(kShell, kHostMounts);
  ASSERT_EQ(left(), 1);
  EXPECT_EQ(out.text("container.left.way"), "mount_namespace");
  EXPECT_EQ(out.text("severity"), "critical");
  EXPECT_EQ(
      out.text("summary"),
      "sh (pid 201) in container aaaaaaaaaaaa runs /bin/sh in the mount namespace of the host");
  EXPECT_EQ(out.records.back().origin.cgroup_id, kA);
}

// nsenter(1) goes there, forks, and the child executes.
TEST_F(BorderOfContainers, the_child_of_who_went_there_got_out_too) {
  born({202, 2002}, kShell);
  run({202, 2002}, kHostMounts);
  EXPECT_EQ(left(), 1);
}

TEST_F(BorderOfContainers, namespaces_of_its_own_are_no_way_out) {
  run(kShell, 55);
  run(kShell, kMountsOfA, 4s);
  EXPECT_EQ(left(), 0);
}

TEST_F(BorderOfContainers, who_comes_in_from_the_host_does_not_leave) {
  const ProcessId entering{300, 3000};
  execute({.time = 3s,
           .process = entering,
           .parent = kRuntime,
           .mount_namespace = kHostMounts,
           .cgroup_id = kA,
           .name = "runc"});
  execute({.time = 4s,
           .process = entering,
           .parent = kRuntime,
           .mount_namespace = kMountsOfA,
           .cgroup_id = kA,
           .name = "sh"});
  EXPECT_EQ(left(), 0);
}

TEST_F(BorderOfContainers, the_mounts_of_another_container_are_outside) {
  make(b, kB);
  execute({.time = 2s,
           .process = {400, 4000},
           .parent = kRuntime,
           .virtual_pid = 1,
           .pid_namespace = 78,
           .mount_namespace = kMountsOfB,
           .cgroup_id = kB,
           .name = "db"});
  run(kShell, kMountsOfB);
  ASSERT_EQ(left(), 1);
  EXPECT_THAT(out.text("summary"), HasSubstr("in the mount namespace of container bbbbbbbbbbbb"));
}

TEST_F(BorderOfContainers, who_begins_in_the_hosts_pid_namespace_got_out) {
  born({203, 2003}, kShell, Boundary::kHostPidNamespace);
  ASSERT_EQ(left(), 1);
  EXPECT_EQ(out.text("container.left.way"), "pid_namespace");
  EXPECT_EQ(out.records.back().origin.pid, 203u);
}

TEST_F(BorderOfContainers, who_leaves_the_cgroup_by_itself_is_a_warning) {
  hear(ProcessMoved{
      .time = 3s, .evidence = {1, 9}, .process = kShell, .from = kA, .to = kHost, .by = kShell});
  ASSERT_EQ(left(), 1);
  EXPECT_EQ(out.text("severity"), "warning");
  EXPECT_EQ(out.text("container.left.way"), "cgroup");
  EXPECT_THAT(out.text("summary"), HasSubstr("for /system.slice/containerd.service, by itself"));
  EXPECT_EQ(world.process(kShell)->cgroup_id, kHost);
}

TEST_F(BorderOfContainers, who_is_taken_out_by_the_host_is_worth_knowing) {
  hear(ProcessMoved{
      .time = 3s, .evidence = {1, 9}, .process = kShell, .from = kA, .to = kHost, .by = kRuntime});
  ASSERT_EQ(left(), 1);
  EXPECT_EQ(out.text("severity"), "info");
  EXPECT_THAT(out.text("summary"), HasSubstr("moved by runc (pid 10)"));
}

TEST_F(BorderOfContainers, cgroups_below_and_moves_inwards_are_no_crossings) {
  hear(CgroupCreated{.time = 3s, .cgroup_id = 99, .path = "/docker/" + a + "/init"});
  hear(ProcessMoved{.time = 3s, .process = kShell, .from = kA, .to = 99, .by = kShell});
  hear(ProcessMoved{.time = 4s, .process = kShell, .from = 99, .to = kA, .by = kShell});
  hear(ProcessMoved{.time = 4s, .process = kRuntime, .from = kHost, .to = kA, .by = kRuntime});
  EXPECT_EQ(left(), 0);
}

TEST_F(BorderOfContainers, is_told_once_a_minute_with_how_often) {
  for (int i = 0; i < 5; ++i) {
    run(kShell, kHostMounts, 3s);
    run(kShell, kMountsOfA, 3s);
  }
  EXPECT_EQ(left(), 1);
  run(kShell, kHostMounts, 3s + Boundary::kRepeat);
  EXPECT_EQ(left(), 2);
  EXPECT_EQ(out.get<std::uint64_t>("count"), 5u);
}

}  // namespace
}  // namespace tapio::container
