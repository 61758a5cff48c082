// SPDX-License-Identifier: Apache-2.0
#include "process_detectors.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <map>

#include "collected.hpp"
#include "empty_world.hpp"

namespace tapio::process {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

constexpr std::uint64_t kHost = 0xEFFFFFFC;  // pid namespace
constexpr std::uint64_t kInside = 77;
constexpr MonotonicTime kT = 1000s;

ProcessId id(std::uint32_t pid) {
  return {pid, pid * 10};
}

// The least that detectors ask.
class SmallWorld final : public EmptyWorld {
 public:
  void apply(const Fact& fact) {
    std::visit([this](const auto& known) { on(known); }, fact);
  }
  using EmptyWorld::process;
  [[nodiscard]] const Process* process(ProcessId id) const override {
    const auto found = processes_.find(id);
    return found == processes_.end() ? nullptr : &found->second;
  }
  [[nodiscard]] std::vector<const Process*> ancestors(ProcessId id) const override {
    std::vector<const Process*> list;
    for (const Process* p = process(id); p && (p = process(p->parent));) list.push_back(p);
    return list;
  }
  [[nodiscard]] const Cgroup* cgroup(std::uint64_t id) const override {
    const auto found = cgroups.find(id);
    return found == cgroups.end() ? nullptr : &found->second;
  }

  std::map<std::uint64_t, Cgroup> cgroups;

 private:
  void on(const auto&) {}
  void on(const ProcessStarted& fact) {
    Process& p = processes_[fact.process];
    p = {.id = fact.process,
         .parent = fact.parent,
         .started = fact.time,
         .virtual_pid = fact.virtual_pid ? fact.virtual_pid : fact.process.pid,
         .pid_namespace = fact.pid_namespace,
         .cgroup_id = fact.cgroup_id,
         .name = std::string(fact.name)};
    if (const Process* parent = process(fact.parent)) p.image = parent->image;
  }
  void on(const ProcessExecuted& fact) {
    Process& p = processes_[fact.process];
    auto& image = images_.emplace_back();
    image.executable = fact.executable;
    for (const auto arg : fact.args) image.args_text.append(arg).push_back('\0');
    p.image = &image;
    p.executed = fact.time;
    p.name = fact.name;
    if (fact.cgroup_id != 0) p.cgroup_id = fact.cgroup_id;
  }
  void on(const ProcessExited& fact) { processes_[fact.process].life = Life::exited; }

  std::map<ProcessId, Process> processes_;
  std::deque<ProcessImage> images_;
};

// A machine on which a test makes things happen, one after the other.
class Machine : public testing::Test, public Output {
 protected:
  Machine() { start(1, 0, "/sbin/init", 0s); }

  void hand(const Fact& fact) {
    world_.apply(fact);
    detectors.on_fact(fact, *this);
  }
  enum class Firstborn { lives, ends };
  // Everybody forks one in each round, or one that ends at once and then one. How many live.
  std::size_t multiply(std::uint32_t eldest, int rounds, Firstborn first = Firstborn::lives) {
    std::uint32_t next = 100;
    std::vector<std::uint32_t> living{eldest};
    for (int round = 1; round <= rounds; ++round)
      for (const std::uint32_t parent : std::vector(living)) {
        const auto time = kT + round * 50ms;
        fork(next, parent, time);
        if (first == Firstborn::ends) {
          exit(next++, parent, time, 0);
          fork(next, parent, time);
        }
        living.push_back(next++);
      }
    return living.size();
  }
  void fork(std::uint32_t pid, std::uint32_t parent, MonotonicTime time, std::uint64_t cgroup = 5) {
    hand(ProcessStarted{.time = time,
                        .evidence = record(),
                        .process = id(pid),
                        .parent = id(parent),
                        .virtual_pid = virtual_pid,
                        .pid_namespace = pid_namespace,
                        .cgroup_id = cgroup,
                        .name = "forked"});
  }
  void exec(std::uint32_t pid, std::string_view path, MonotonicTime time,
            std::uint64_t cgroup = 5) {
    const std::array<std::string_view, 2> args{path, "-x"};
    hand(ProcessExecuted{.time = time,
                         .process = id(pid),
                         .cgroup_id = cgroup,
                         .name = path.substr(path.rfind('/') + 1),
                         .executable = path,
                         .args = args});
  }
  void start(std::uint32_t pid, std::uint32_t parent, std::string_view path, MonotonicTime time,
             std::uint64_t cgroup = 5) {
    fork(pid, parent, time, cgroup);
    exec(pid, path, time, cgroup);
  }
  void exit(std::uint32_t pid, std::uint32_t parent, MonotonicTime time, std::int32_t signal,
            std::int32_t code = 0, std::uint64_t cgroup = 5) {
    hand(ProcessExited{.time = time,
                       .evidence = record(),
                       .process = id(pid),
                       .parent = id(parent),
                       .cgroup_id = cgroup,
                       .code = code,
                       .signal = signal,
                       .name = "leaving"});
  }
  void send(std::uint32_t sender, std::uint32_t target, std::int32_t signal, MonotonicTime time,
            SignalClass by = SignalClass::user) {
    hand(SignalSent{.time = time,
                    .evidence = record(),
                    .sender = sender ? id(sender) : ProcessId{},
                    .sender_name = "sender",
                    .sender_cgroup_id = sender_cgroup,
                    .target = id(target),
                    .target_name = "target",
                    .target_cgroup_id = target_cgroup,
                    .signal = signal,
                    .by = by,
                    .lethal = true});
  }
  // `count` signals, evenly within one second.
  void send_for_a_second(std::uint32_t sender, std::uint32_t target, std::int32_t signal, int count,
                         MonotonicTime from) {
    for (int i = 0; i < count; ++i) send(sender, target, signal, from + i * (1s / count));
  }
  // A program that lives for 10 ms.
  void run(std::uint32_t pid, std::uint32_t parent, std::string_view path, MonotonicTime time,
           std::int32_t signal, std::int32_t code = 0) {
    start(pid, parent, path, time);
    exit(pid, parent, time + 10ms, signal, code);
  }

  Arena& arena() override { return arena_; }
  void publish(const Fact& fact) override { found.push_back(std::get<Detected>(fact)); }
  RecordId emit(const Record& record) override {
    records.push_back(record);
    return this->record();
  }
  RecordId withhold(const Record&, Withheld) override { return record(); }
  RecordId withhold(const wire::Sample&, const Origin&, Withheld) override { return record(); }
  [[nodiscard]] RecordId next_id() const override { return {1, next_}; }
  [[nodiscard]] const World& world() const override { return world_; }
  [[nodiscard]] const Clocks& clocks() const override { return clocks_; }
  RecordId record() { return {1, next_++}; }
  [[nodiscard]] std::string_view summary() const {
    return std::get<std::string_view>(records.back().values[2]);
  }

  SmallWorld world_;
  Clocks clocks_;
  Detectors detectors{Config{}};
  std::vector<Detected> found;
  std::vector<Record> records;
  std::uint32_t virtual_pid = 0;  // 0: the pid itself
  std::uint64_t pid_namespace = kHost;
  std::uint64_t sender_cgroup = 5, target_cgroup = 5;

 private:
  Arena arena_;
  std::uint64_t next_ = 1;
};

TEST_F(Machine, a_storm_is_told_once_with_its_sender_target_and_evidence) {
  for (int s = 0; s < 10; ++s) send_for_a_second(20, 30, SIGUSR1, 150, kT + s * 1s);

  ASSERT_THAT(found, SizeIs(1));
  EXPECT_EQ(found[0].what, Detection::signal_storm);
  EXPECT_EQ(found[0].severity, Severity::warning);
  EXPECT_EQ(found[0].process, id(20));
  EXPECT_EQ(found[0].other, id(30));
  EXPECT_EQ(found[0].detail, "SIGUSR1");
  EXPECT_EQ(found[0].count, 250u);
  EXPECT_THAT(found[0].because, SizeIs(16));
  EXPECT_EQ(records[0].schema->name, "process.signal_storm");
  EXPECT_THAT(summary(), HasSubstr("sender (pid 20) sent at least 250 signals"));
}

TEST_F(Machine, a_reload_lowers_the_threshold_of_a_storm_that_is_under_way) {
  start(10, 1, "/usr/bin/sender", kT);
  for (int second = 0; second < 4; ++second)
    send_for_a_second(10, 20, SIGTERM, 60, kT + second * 1s);
  EXPECT_THAT(found, IsEmpty()) << "60 a second are no storm";
  detectors.configure({.detect_storm_signals = 50});
  for (int second = 4; second < 8; ++second)
    send_for_a_second(10, 20, SIGTERM, 60, kT + second * 1s);
  ASSERT_THAT(found, SizeIs(1));
  EXPECT_EQ(found[0].what, Detection::signal_storm);
}

TEST_F(Machine, a_storm_that_goes_on_is_told_again_after_a_minute) {
  for (int s = 0; s < 70; ++s) send_for_a_second(20, 30, SIGHUP, 150, kT + s * 1s);
  ASSERT_THAT(found, SizeIs(2));
  EXPECT_GE(found[1].time - found[0].time, 60s);
  EXPECT_GT(found[1].count, found[0].count);
}

TEST_F(Machine, a_storm_at_many_processes_has_no_one_target) {
  for (int i = 0; i < 400; ++i)
    send(20, 100 + static_cast<std::uint32_t>(i), SIGTERM, kT + i * 5ms);
  ASSERT_THAT(found, SizeIs(1));
  EXPECT_FALSE(found[0].other);
  EXPECT_THAT(summary(), HasSubstr("at least 64 processes"));
}

TEST_F(Machine, bursts_harmless_signals_and_ones_own_are_no_storm) {
  for (int i = 0; i < 900; ++i) send(20, 30, SIGTERM, kT + i * 1ms);
  for (int i = 0; i < 900; ++i) send(20, 30, SIGTERM, kT + 60s + i * 1ms);
  for (int s = 0; s < 5; ++s) {
    send_for_a_second(21, 30, SIGURG, 500, kT + s * 1s);
    send_for_a_second(22, 22, SIGUSR1, 500, kT + s * 1s);
    send_for_a_second(23, 30, SIGUSR1, 60, kT + s * 1s);
    send_for_a_second(0, 30, SIGALRM, 500, kT + s * 1s);
  }
  EXPECT_THAT(found, IsEmpty());
}

TEST_F(Machine, where_signals_are_refused_half_of_them_is_a_storm) {
  hand(Lost{.from = kT,
            .to = kT + 1s,
            .observer = "process",
            .event_class = TAPIO_NORMAL,
            .count = 9000});
  for (int s = 0; s < 3; ++s) send_for_a_second(23, 30, SIGUSR1, 60, kT + s * 1s);
  EXPECT_THAT(found, SizeIs(1));
}

TEST_F(Machine, three_deaths_of_killers_are_a_chain) {
  send(40, 41, SIGTERM, kT);
  send(40, 41, SIGKILL, kT + 2s);
  exit(41, 1, kT + 2s + 1ms, SIGKILL);
  send(42, 40, SIGKILL, kT + 3s);
  exit(40, 1, kT + 3s + 1ms, SIGKILL);
  EXPECT_THAT(found, IsEmpty());
  send(43, 42, SIGKILL, kT + 4s);
  exit(42, 1, kT + 4s + 1ms, SIGKILL);

  ASSERT_THAT(found, SizeIs(1));
  EXPECT_EQ(found[0].what, Detection::kill_chain);
  EXPECT_EQ(found[0].severity, Severity::info);
  EXPECT_EQ(found[0].process, id(40));
  EXPECT_EQ(found[0].other, id(43));
  EXPECT_EQ(found[0].count, 3u);
  EXPECT_THAT(summary(), HasSubstr("by SIGKILL, 2.0 s after SIGTERM, from sender (pid 40)"));
}

TEST_F(Machine, deaths_far_apart_and_those_of_one_killer_are_no_chain) {
  for (std::uint32_t i = 0; i < 5; ++i) {
    send(40, 50 + i, SIGKILL, kT);
    exit(50 + i, 1, kT + 1ms, SIGKILL);
  }
  for (std::uint32_t i = 0; i < 5; ++i) {
    send(61 + i, 60 + i, SIGKILL, kT + i * 11s);
    exit(60 + i, 1, kT + i * 11s, SIGKILL);
  }
  EXPECT_THAT(found, IsEmpty());
}

TEST_F(Machine, three_crashes_of_what_one_process_starts_are_a_loop) {
  start(50, 1, "/usr/bin/supervise", 10s);
  for (std::uint32_t i = 0; i < 5; ++i) run(100 + i, 50, "/opt/app", kT + i * 2s, SIGSEGV);

  ASSERT_THAT(found, SizeIs(1));
  EXPECT_EQ(found[0].what, Detection::crash_loop);
  EXPECT_EQ(found[0].process, id(102));
  EXPECT_EQ(found[0].other, id(50));
  EXPECT_EQ(found[0].other_name, "supervise");
  EXPECT_EQ(found[0].executable, "/opt/app");
  EXPECT_EQ(found[0].detail, "SIGSEGV");
  EXPECT_EQ(found[0].count, 3u);
  EXPECT_EQ(found[0].window, 4s);
  EXPECT_THAT(found[0].because, SizeIs(3));
}

TEST_F(Machine, a_loop_that_goes_on_is_told_again_with_its_count) {
  start(50, 1, "/usr/bin/supervise", 10s);
  for (std::uint32_t i = 0; i < 40; ++i) run(100 + i, 50, "/opt/app", kT + i * 2s, SIGABRT);
  ASSERT_THAT(found, SizeIs(2));
  EXPECT_EQ(found[1].count, 33u);
}

TEST_F(Machine, who_was_killed_by_others_or_lived_long_is_in_no_crash_loop) {
  start(50, 1, "/usr/bin/supervise", 10s);
  for (std::uint32_t i = 0; i < 10; ++i) {
    start(100 + i, 50, "/opt/killed", kT + i * 1s);
    send(50, 100 + i, SIGSEGV, kT + i * 1s);
    exit(100 + i, 50, kT + i * 1s + 1ms, SIGSEGV);
    start(200 + i, 50, "/opt/stopped", kT + i * 1s);
    send(50, 200 + i, SIGKILL, kT + i * 1s);
    exit(200 + i, 50, kT + i * 1s + 1ms, SIGKILL);
    start(300 + i, 50, "/opt/old", kT + i * 1s - 61s);
    exit(300 + i, 50, kT + i * 1s, SIGSEGV);
    run(400 + i, 50, "/opt/ended", kT + i * 1s, 0, 0);
    run(500 + i, 50, "/opt/asked", kT + i * 1s, SIGTERM);
  }
  EXPECT_THAT(found, IsEmpty());
}

TEST_F(Machine, kills_by_the_kernel_are_crashes) {
  start(50, 1, "/usr/bin/supervise", 10s);
  for (std::uint32_t i = 0; i < 3; ++i) {
    start(100 + i, 50, "/opt/app", kT + i * 1s);
    send(0, 100 + i, SIGKILL, kT + i * 1s, SignalClass::kernel);
    exit(100 + i, 50, kT + i * 1s + 1ms, SIGKILL);
  }
  EXPECT_THAT(found, SizeIs(1));
}

TEST_F(Machine, exit_statuses_are_ordinary_but_for_who_is_managed) {
  start(50, 1, "/usr/bin/make", 10s);
  for (std::uint32_t i = 0; i < 50; ++i) run(100 + i, 50, "/usr/bin/grep", kT + i * 1s, 0, 1);
  EXPECT_THAT(found, IsEmpty());

  for (std::uint32_t i = 0; i < 5; ++i) run(200 + i, 1, "/opt/service", kT + i * 1s, 0, 3);
  ASSERT_THAT(found, SizeIs(1));
  EXPECT_EQ(found[0].detail, "exit status 3");
  EXPECT_EQ(found[0].count, 5u);
}

TEST_F(Machine, who_is_put_into_another_cgroup_is_managed) {
  start(50, 1, "/usr/bin/shim", 10s, 5);
  for (std::uint32_t i = 0; i < 5; ++i) {
    fork(100 + i, 50, kT + i * 1s, 5);
    exec(100 + i, "/app", kT + i * 1s, 6);
    exit(100 + i, 50, kT + i * 1s + 10ms, 0, 1, 6);
  }
  EXPECT_THAT(found, SizeIs(1));
}

TEST_F(Machine, a_service_is_known_by_its_unit_when_its_cgroup_is_new_each_time) {
  for (std::uint32_t i = 0; i < 3; ++i) {
    const std::uint64_t cgroup = 60 + i;
    world_.cgroups[cgroup] = {.id = cgroup, .path = "/nginx.service", .unit = "nginx.service"};
    start(50 + i, 1, "/usr/bin/shim", 10s);
    fork(100 + i, 50 + i, kT + i * 1s, 5);
    exec(100 + i, "/usr/sbin/nginx", kT + i * 1s, cgroup);
    exit(100 + i, 50 + i, kT + i * 1s + 10ms, SIGBUS, 0, cgroup);
  }
  EXPECT_THAT(found, SizeIs(1));
}

TEST_F(Machine, a_failing_probe_inside_a_container_is_no_crash_loop) {
  start(50, 1, "/usr/bin/runc", 10s, 5);
  pid_namespace = kInside;
  for (std::uint32_t i = 0; i < 20; ++i) {
    virtual_pid = 30 + i;
    fork(100 + i, 50, kT + i * 10s, 5);
    exec(100 + i, "/bin/probe", kT + i * 10s, 6);
    exit(100 + i, 50, kT + i * 10s + 10ms, 0, 1, 6);
  }
  EXPECT_THAT(found, IsEmpty());
}

TEST_F(Machine, tests_that_are_meant_to_die_are_no_crash_loop) {
  start(50, 1, "/build/unit_test", kT);
  for (std::uint32_t i = 0; i < 40; ++i) {
    fork(100 + i, 50, kT + i * 100ms);
    exit(100 + i, 50, kT + i * 100ms + 10ms, SIGABRT);
  }
  start(51, 1, "/bin/dash", kT);
  for (std::uint32_t i = 0; i < 4; ++i) run(200 + i, 51, "/build/conftest", kT + i * 1s, SIGSEGV);
  EXPECT_THAT(found, IsEmpty());
}

TEST_F(Machine, workers_that_crash_for_long_enough_are_a_loop) {
  start(50, 1, "/usr/sbin/nginx", 10s);
  for (std::uint32_t i = 0; i < 12; ++i) {
    fork(100 + i, 50, kT + i * 2s);
    exit(100 + i, 50, kT + i * 2s + 10ms, SIGSEGV);
  }
  EXPECT_THAT(found, SizeIs(1));
}

TEST_F(Machine, processes_that_multiply_are_a_bomb) {
  start(50, 1, "/bin/bomb", kT);
  multiply(50, 8);
  ASSERT_THAT(found, SizeIs(1));
  EXPECT_EQ(found[0].what, Detection::fork_bomb);
  EXPECT_EQ(found[0].severity, Severity::critical);
  EXPECT_EQ(found[0].process, id(50));
  EXPECT_EQ(found[0].process_name, "bomb");
  EXPECT_GE(found[0].count, 64u);
  EXPECT_LE(found[0].time, kT + 1s);
}

TEST_F(Machine, a_bomb_that_outgrows_the_table_is_one_bomb) {
  start(50, 1, "/bin/bomb", kT);
  EXPECT_GT(multiply(50, 14), 2 * ForkBomb::kMaxNewborns);
  EXPECT_THAT(found, SizeIs(1));
}

TEST_F(Machine, a_bomb_typed_into_a_shell_begins_with_what_the_shell_forked) {
  start(50, 1, "/bin/bash", 10s);
  fork(51, 50, kT);
  std::uint32_t next = 100;
  std::vector<std::uint32_t> living{51};
  for (int round = 1; round <= 8; ++round) {  // two children each, and then it ends
    std::vector<std::uint32_t> born;
    for (const std::uint32_t parent : living) {
      for (int child = 0; child < 2; ++child) {
        fork(next, parent, kT + round * 50ms);
        born.push_back(next++);
      }
      exit(parent, 1, kT + round * 50ms, 0);
    }
    living = born;
  }
  ASSERT_THAT(found, SizeIs(1));
  EXPECT_EQ(found[0].process, id(51));
  EXPECT_EQ(found[0].other, id(50));
}

TEST_F(Machine, of_a_bomb_those_that_have_ended_are_counted_too) {
  start(50, 1, "/bin/bomb", kT);
  multiply(50, 8, Firstborn::ends);
  ASSERT_THAT(found, SizeIs(1));
  EXPECT_GT(found[0].count, 100u) << "64 live, and most had another child before";
}

TEST_F(Machine, a_server_with_many_workers_is_no_bomb) {
  start(50, 1, "/usr/sbin/server", kT);
  for (std::uint32_t i = 0; i < 1000; ++i) fork(100 + i, 50, kT + i * 1ms);
  EXPECT_THAT(found, IsEmpty());
}

TEST_F(Machine, a_parallel_build_is_no_bomb) {
  start(50, 1, "/usr/bin/make", kT);
  for (std::uint32_t job = 0; job < 200; ++job) {
    const std::uint32_t shell = 1000 + job * 10;
    start(shell, 50, "/bin/sh", kT + job * 1ms);
    start(shell + 1, shell, "/usr/bin/gcc", kT + job * 1ms);
    start(shell + 2, shell + 1, "/usr/lib/cc1", kT + job * 1ms);
    start(shell + 3, shell + 1, "/usr/bin/as", kT + job * 1ms);
    fork(shell + 4, shell, kT + job * 1ms);
    fork(shell + 5, shell, kT + job * 1ms);
  }
  EXPECT_THAT(found, IsEmpty());
}

TEST_F(Machine, a_script_of_many_short_subshells_is_no_bomb) {
  start(50, 1, "/bin/bash", 10s);
  for (std::uint32_t i = 0; i < 2000; ++i) {
    std::uint32_t parent = 50;
    for (std::uint32_t depth = 0; depth < 6; ++depth, parent = 1000 + i * 10 + depth - 1)
      fork(1000 + i * 10 + depth, parent, kT + i * 2ms);
    for (std::uint32_t depth = 0; depth < 6; ++depth)
      exit(1000 + i * 10 + depth, 50, kT + i * 2ms + 1ms, 0);
  }
  EXPECT_THAT(found, IsEmpty());
}

TEST_F(Machine, children_that_cannot_start_a_file_are_a_loop_of_their_parent) {
  start(50, 1, "/usr/bin/supervise", 10s);
  for (std::uint32_t i = 0; i < 12; ++i) {
    fork(100 + i, 50, kT + i * 1s);
    hand(ExecFailed{.time = kT + i * 1s,
                    .evidence = record(),
                    .process = id(100 + i),
                    .parent = id(50),
                    .error = ENOENT,
                    .filename = "/opt/missing"});
    exit(100 + i, 50, kT + i * 1s + 1ms, 0, 127);
  }
  ASSERT_THAT(found, SizeIs(1));
  EXPECT_EQ(found[0].what, Detection::exec_failure_loop);
  EXPECT_EQ(found[0].process, id(50));
  EXPECT_EQ(found[0].executable, "/opt/missing");
  EXPECT_EQ(found[0].detail, "No such file or directory");
  EXPECT_EQ(found[0].count, 10u);
}

TEST_F(Machine, a_look_along_the_path_is_no_exec_failure) {
  start(50, 1, "/usr/bin/make", 10s);
  for (std::uint32_t i = 0; i < 100; ++i) {
    fork(100 + i, 50, kT + i * 10ms);
    for (const auto* path : {"/usr/local/bin/gcc", "/usr/bin/gcc"})
      hand(ExecFailed{.time = kT + i * 10ms,
                      .process = id(100 + i),
                      .parent = id(50),
                      .error = ENOENT,
                      .filename = path});
    exec(100 + i, "/bin/gcc", kT + i * 10ms);
    exit(100 + i, 50, kT + i * 10ms + 1ms, 0, 1);
  }
  EXPECT_THAT(found, IsEmpty());
}

TEST_F(Machine, one_that_tries_itself_again_and_again_is_told) {
  start(50, 1, "/usr/bin/retry", 10s);
  for (int i = 0; i < 12; ++i)
    hand(ExecFailed{.time = kT + i * 1s,
                    .process = id(50),
                    .parent = id(1),
                    .error = EACCES,
                    .filename = "/opt/denied"});
  ASSERT_THAT(found, SizeIs(1));
  EXPECT_EQ(found[0].process, id(50));
}

TEST_F(Machine, exit_statuses_alone_need_more_and_a_rhythm) {
  const auto conclude = [this](std::uint32_t parent, MonotonicTime time, std::int32_t status) {
    static std::uint32_t pid = 5000;
    hand(ExecFailed{.time = time,
                    .evidence = record(),
                    .process = id(pid++),
                    .parent = id(parent),
                    .status = status});
  };
  start(50, 1, "/bin/dash", 10s);
  start(51, 1, "/bin/dash", 10s);
  start(52, 1, "/usr/bin/manager", 10s);
  for (int i = 0; i < 19; ++i) conclude(50, kT + i * 1s, 127);
  for (int i = 0; i < 30; ++i) conclude(51, kT + (i < 15 ? 0s : 30s) + i * 10ms, 127);
  EXPECT_THAT(found, IsEmpty());
  conclude(50, kT + 19s, 127);
  EXPECT_THAT(found, SizeIs(1));
  for (int i = 0; i < 3; ++i) conclude(52, kT + i * 1s, 203);
  ASSERT_THAT(found, SizeIs(2));
  EXPECT_EQ(found[1].detail, "exit status 203");
}

TEST_F(Machine, a_signal_out_of_a_container_is_told_and_one_into_it_is_not) {
  const std::string a(64, 'a'), b(64, 'b');
  world_.cgroups[6] = {.id = 6, .path = "/docker/" + a, .container_id = a};
  world_.cgroups[7] = {.id = 7, .path = "/system.slice/nginx.service"};
  world_.cgroups[8] = {.id = 8, .path = "/docker/" + a + "/docker/" + b, .container_id = b};
  sender_cgroup = 7, target_cgroup = 6;
  send(20, 30, SIGTERM, kT);
  sender_cgroup = target_cgroup = 6;
  send(21, 31, SIGTERM, kT);
  sender_cgroup = 6, target_cgroup = 8;  // a container within
  send(22, 32, SIGTERM, kT);
  EXPECT_THAT(found, IsEmpty());
  sender_cgroup = 6, target_cgroup = 7;
  send(23, 33, SIGTERM, kT);
  send(23, 33, SIGTERM, kT + 1s);
  ASSERT_THAT(found, SizeIs(1));
  EXPECT_EQ(found[0].what, Detection::signal_across_border);
  EXPECT_EQ(found[0].process, id(23));
  EXPECT_EQ(found[0].other, id(33));
  EXPECT_THAT(summary(), HasSubstr("in container aaaaaaaaaaaa sent SIGTERM"));
}

TEST_F(Machine, without_paths_pid_namespaces_tell_the_border) {
  start(20, 1, "/bin/a", 10s);
  pid_namespace = kInside;
  start(30, 20, "/bin/b", 10s);
  pid_namespace = kInside + 1;
  start(40, 30, "/bin/c", 10s);
  send(30, 40, SIGTERM, kT);
  send(20, 30, SIGTERM, kT);
  EXPECT_THAT(found, IsEmpty());
  send(30, 20, SIGTERM, kT);
  EXPECT_THAT(found, SizeIs(1));
}

CredentialsChanged gain(Credentials before, Credentials after, CredentialsVia via) {
  return {.time = kT,
          .evidence = {1, 99},
          .process = id(20),
          .before = before,
          .after = after,
          .via = via,
          .gained = true,
          .set_id_file = via == CredentialsVia::exec,
          .name = "x",
          .executable = "/usr/bin/x"};
}

constexpr Credentials kUser{.uid = 1000, .euid = 1000, .suid = 1000, .user_namespace = 9};
constexpr Credentials kRoot{
    .effective = 0x1ff, .permitted = 0x1ff, .bounding = 0x1ff, .user_namespace = 9};

TEST_F(Machine, what_a_file_grants_is_a_note_and_what_nothing_grants_is_critical) {
  hand(gain(kUser, kRoot, CredentialsVia::exec));
  ASSERT_THAT(found, SizeIs(1));
  EXPECT_EQ(found[0].severity, Severity::info);
  for (const auto via : {CredentialsVia::syscall, CredentialsVia::found}) {
    auto fact = gain(kUser, kRoot, via);
    fact.process = id(via == CredentialsVia::found ? 21 : 22);
    hand(fact);
    EXPECT_EQ(found.back().severity, Severity::critical);
    EXPECT_EQ(found.back().process, fact.process);
  }
  EXPECT_THAT(found, SizeIs(3));
}

TEST_F(Machine, who_may_become_root_and_who_enters_a_namespace_is_no_finding) {
  auto dropped = kUser;  // for a while: root is kept as the saved id
  dropped.suid = 0;
  dropped.permitted = 0x1ff;
  hand(gain(dropped, kRoot, CredentialsVia::syscall));
  auto elsewhere = kRoot;
  elsewhere.user_namespace = 10;
  hand(gain(kUser, elsewhere, CredentialsVia::syscall));
  EXPECT_THAT(found, IsEmpty());
}

TEST_F(Machine, a_gain_that_a_lost_exec_may_explain_is_a_note) {
  hand(Lost{.from = kT - 2s,
            .to = kT - 1s,
            .observer = "process",
            .event_class = TAPIO_STATE,
            .count = 1});
  hand(gain(kUser, kRoot, CredentialsVia::found));
  ASSERT_THAT(found, SizeIs(1));
  EXPECT_EQ(found[0].severity, Severity::info);
}

TEST(Because, keeps_the_first_and_the_latest) {
  Because because;
  for (std::uint64_t i = 1; i <= 100; ++i) because.add({1, i});
  const auto ids = because.ids();
  ASSERT_THAT(ids, SizeIs(Because::kFirst + Because::kLatest));
  EXPECT_EQ(ids[3].number, 4u);
  EXPECT_EQ(ids[4].number, 89u);
  EXPECT_EQ(ids.back().number, 100u);
}

}  // namespace
}  // namespace tapio::process
