// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include <csignal>
#include <cstring>
#include <deque>
#include <set>

#include "collected.hpp"
#include "process_hooks.hpp"
#include "process_observer.hpp"
#include "process_text.hpp"
#include "record/json.hpp"

namespace tapio::process {
namespace {

using testing::ElementsAre;

std::uint16_t version_of(std::uint16_t kind) {
  return kind <= TAPIO_PROCESS_DEATH ? 2 : 1;
}

template <typename Event>
tapio_event_header header_of(std::uint16_t kind) {
  return {.time_ns = 1000,
          .cgroup_id = 7,
          .tgid = 100,
          .tid = 101,
          .size = sizeof(Event),
          .kind = kind,
          .version = version_of(kind)};
}

template <typename Event>
Status feed(ProcessObserver& observer, const Event& event, Output& out) {
  return observer.on_sample(TRY(wire::open_sample(std::as_bytes(std::span(&event, 1)))), out);
}

// An exec with its tail, as the kernel side lays it out.
class ExecBytes {
 public:
  ExecBytes() {
    event.header = header_of<tapio_process_exec>(TAPIO_PROCESS_EXEC);
    event.start_ns = 50 * kNsPerTick;
    event.parent_tgid = 99;
    event.file_mode = 0100755;
    std::memcpy(event.comm, "ls", 3);
  }
  tapio_text add(std::string_view text, std::uint32_t original) {
    const auto offset = static_cast<std::uint16_t>(sizeof event + tail_.size());
    tail_.append(text);
    return {offset, static_cast<std::uint16_t>(text.size()), original};
  }
  Status feed_to(ProcessObserver& observer, Output& out) {
    event.header.size = static_cast<std::uint16_t>(sizeof event + tail_.size());
    std::vector<std::byte> bytes(event.header.size);
    std::memcpy(bytes.data(), &event, sizeof event);
    std::memcpy(bytes.data() + sizeof event, tail_.data(), tail_.size());
    return observer.on_sample(TRY(wire::open_sample(bytes)), out);
  }
  tapio_process_exec event{};

 private:
  std::string tail_;
};

tapio_process_signal signal_to(std::uint32_t target, int signal) {
  tapio_process_signal e{};
  e.header = header_of<tapio_process_signal>(TAPIO_PROCESS_SIGNAL);
  e.header.event_class = TAPIO_CRITICAL;
  e.running_start_ns = 70 * kNsPerTick;
  e.target_tgid = target;
  e.target_tid = target;
  e.target_cgroup_id = 8;
  e.signal = signal;
  e.siginfo = TAPIO_SIGINFO_GIVEN;
  e.lethal = 1;
  std::memcpy(e.running_comm, "bash", 5);
  std::memcpy(e.target_comm, "0123456789abcdef", 16);  // full: no NUL behind it
  return e;
}

TEST(Process, an_exec_becomes_a_fact_and_a_record_with_its_texts) {
  ProcessObserver observer({});
  Collected out;
  ExecBytes exec;
  exec.event.filename = exec.add("./ls", 4);
  exec.event.executable = exec.add(std::string_view("ls\0bin\0usr\0", 11), 0);
  exec.event.cwd = exec.add(std::string_view("tmp\0", 4), 0);
  exec.event.args = exec.add(std::string_view("ls\0-l\0\0", 7), 7);

  ASSERT_TRUE(exec.feed_to(observer, out));

  const auto& fact = out.only<ProcessExecuted>();
  EXPECT_EQ(fact.process, (ProcessId{100, 50}));
  EXPECT_EQ(fact.executable, "/usr/bin/ls");
  EXPECT_THAT(fact.args, ElementsAre("ls", "-l", ""));
  ASSERT_EQ(out.records.size(), 1u);
  EXPECT_EQ(out.text("process.working_directory"), "/tmp");
  EXPECT_EQ(out.text("process.exec.filename"), "./ls");
  EXPECT_EQ(out.get<bool>("process.command_args.cut"), false);
}

TEST(Process, what_the_kernel_cut_is_marked) {
  ProcessObserver observer({});
  Collected out;
  ExecBytes exec;
  exec.event.executable = exec.add(std::string_view("ls\0deep\0", 8), 1);
  exec.event.args = exec.add(std::string_view("ls\0half an argu", 15), 4000);

  ASSERT_TRUE(exec.feed_to(observer, out));

  EXPECT_EQ(out.only<ProcessExecuted>().executable, "…/deep/ls");
  EXPECT_EQ(out.only<ProcessExecuted>().args_bytes, 4000u);
  EXPECT_EQ(out.get<bool>("process.command_args.cut"), true);
}

TEST(Process, more_arguments_than_are_kept_are_cut_and_marked) {
  ProcessObserver observer({});
  Collected out;
  ExecBytes exec;
  const std::string empty_args(2000, '\0');
  exec.event.args = exec.add(empty_args, 2000);

  ASSERT_TRUE(exec.feed_to(observer, out));

  EXPECT_EQ(out.only<ProcessExecuted>().args.size(), kMaxArgs);
  EXPECT_EQ(out.get<bool>("process.command_args.cut"), true);
}

TEST(Process, texts_that_point_outside_the_sample_are_refused) {
  for (const tapio_text wrong :
       {tapio_text{65535, 1, 1}, tapio_text{0, 65535, 0}, tapio_text{200, 65000, 0}}) {
    ProcessObserver observer({});
    Collected out;
    ExecBytes exec;
    exec.event.args = wrong;
    const auto done = exec.feed_to(observer, out);
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().fault, Fault::invalid);
    EXPECT_TRUE(out.facts.empty());
    EXPECT_TRUE(out.records.empty());
  }
}

TEST(Process, a_truncated_a_strange_and_a_newer_sample_are_refused) {
  ProcessObserver observer({});
  Collected out;
  auto truncated = signal_to(200, 9);
  truncated.header.size--;
  auto strange = signal_to(200, 9);
  strange.header.kind = 0x01ff;
  auto newer = signal_to(200, 9);
  newer.header.version = 2;
  for (const auto& event : {truncated, strange, newer}) EXPECT_FALSE(feed(observer, event, out));
  EXPECT_TRUE(out.records.empty());
}

TEST(Process, padding_of_a_perf_buffer_is_ignored) {
  struct {
    tapio_process_signal event;
    char pad[4];
  } padded{signal_to(200, 9), {1, 2, 3, 4}};
  ProcessObserver observer({});
  Collected out;
  ASSERT_TRUE(feed(observer, padded, out));
  EXPECT_EQ(out.records.size(), 1u);
}

TEST(Process, a_signal_names_sender_and_target_and_flags_the_border) {
  ProcessObserver observer({});
  Collected out;

  ASSERT_TRUE(feed(observer, signal_to(200, SIGKILL), out));

  const auto& fact = out.only<SignalSent>();
  EXPECT_EQ(fact.sender, (ProcessId{100, 70}));
  EXPECT_EQ(fact.sender_name, "bash");
  EXPECT_EQ(fact.target.pid, 200u);
  EXPECT_EQ(fact.by, SignalClass::user);
  EXPECT_TRUE(fact.lethal);
  EXPECT_EQ(out.text("signal.name"), "SIGKILL");
  EXPECT_EQ(out.text("signal.target.name"), "0123456789abcdef");
  EXPECT_EQ(out.get<bool>("signal.crosses_cgroup"), true);
}

TEST(Process, who_merely_ran_while_the_kernel_sent_is_no_sender) {
  ProcessObserver observer({});
  Collected out;
  auto event = signal_to(200, SIGKILL);
  event.siginfo = TAPIO_SIGINFO_PRIV;
  event.code = 0x80;

  ASSERT_TRUE(feed(observer, event, out));

  EXPECT_FALSE(out.only<SignalSent>().sender);
  EXPECT_EQ(out.records[0].origin.pid, 0u);
  EXPECT_EQ(out.text("signal.class"), "kernel");
  EXPECT_EQ(out.get<bool>("signal.crosses_cgroup"), false);
}

TEST(Process, classifies_by_what_the_kernel_says_and_not_by_what_the_sender_claims) {
  const auto given = TAPIO_SIGINFO_GIVEN;
  EXPECT_EQ(classify(SIGTERM, 0, given), SignalClass::user);
  EXPECT_EQ(classify(SIGTERM, 0, TAPIO_SIGINFO_NONE), SignalClass::kernel);  // SIGPIPE comes so
  EXPECT_EQ(classify(SIGKILL, 0x80, TAPIO_SIGINFO_PRIV), SignalClass::kernel);
  EXPECT_EQ(classify(SIGALRM, 0x80, TAPIO_SIGINFO_PRIV), SignalClass::timer);
  EXPECT_EQ(classify(SIGUSR1, -6, given), SignalClass::tkill);
  EXPECT_EQ(classify(SIGUSR1, -1, given), SignalClass::queue);
  EXPECT_EQ(classify(SIGUSR1, -2, given), SignalClass::timer);
  EXPECT_EQ(classify(SIGSEGV, 1, given), SignalClass::kernel_fault);
  EXPECT_EQ(classify(SIGCHLD, 1, given), SignalClass::kernel);
  EXPECT_EQ(classify(SIGTERM, -77, given), SignalClass::unknown);
}

TEST(Process, exits_tell_status_or_signal_never_both) {
  ProcessObserver observer({});
  Collected out;
  tapio_process_exit event{};
  event.header = header_of<tapio_process_exit>(TAPIO_PROCESS_EXIT);
  event.status = 137 << 8;
  ASSERT_TRUE(feed(observer, event, out));
  EXPECT_EQ(out.get<std::int64_t>("process.exit.code"), 137);
  EXPECT_FALSE(out.known("process.exit.signal.name"));

  event.status = SIGSEGV | 0x80;
  event.start_ns += kNsPerTick;  // another process
  ASSERT_TRUE(feed(observer, event, out));
  EXPECT_FALSE(out.known("process.exit.code"));
  EXPECT_EQ(out.text("process.exit.signal.name"), "SIGSEGV");
  EXPECT_EQ(out.get<bool>("process.exit.core_dumped"), true);
}

TEST(Process, an_end_that_two_threads_report_is_told_once) {
  ProcessObserver observer({});
  Collected out;
  tapio_process_exit event{};
  event.status = SIGKILL;
  for (const std::uint16_t kind : {TAPIO_PROCESS_EXIT, TAPIO_PROCESS_DEATH}) {
    event.header = header_of<tapio_process_exit>(kind);
    for (int thread = 0; thread < 3; ++thread) ASSERT_TRUE(feed(observer, event, out));
  }
  EXPECT_EQ(out.facts.size(), 1u);
  EXPECT_EQ(out.records.size(), 2u);
  EXPECT_EQ(out.filtered, 4u);
}

TEST(Process, the_rate_holds_records_back_and_never_facts) {
  ProcessObserver observer({.lifecycle_rate_per_second = 3});
  Collected out;
  tapio_process_fork event{};
  event.header = header_of<tapio_process_fork>(TAPIO_PROCESS_FORK);
  for (event.tgid = 1; event.tgid <= 10; ++event.tgid) ASSERT_TRUE(feed(observer, event, out));

  EXPECT_EQ(out.facts.size(), 10u);
  EXPECT_EQ(out.records.size(), 3u);
  EXPECT_EQ(out.rate_limited, 7u);
}

// Its text must not hang on the sample: it may be made long after it.
std::string made_later(const ProcessObserver& observer, Collected& out) {
  Arena arena;
  Record record;
  {
    const auto [origin, bytes] = std::exchange(out.unmade, {}).back();
    record = observer.make_record(*wire::open_sample(bytes), out.clocks(), arena).value();
    EXPECT_EQ(record.origin.pid, origin.pid);
    EXPECT_EQ(record.origin.cgroup_id, origin.cgroup_id);
  }
  std::string json;
  append_json(json, record, {});
  return json;
}

TEST(Process, a_record_that_is_made_later_is_the_one_that_would_have_gone_out) {
  const auto compare = [](tapio_event_header& header, const auto& feed_to) {
    ProcessObserver observer({});
    Collected at_once, later;
    ASSERT_TRUE(feed_to(observer, at_once));
    header.flags = TAPIO_STATE_ONLY;
    header.tgid++;  // another process: the end of one is told once
    ASSERT_TRUE(feed_to(observer, later));
    ASSERT_EQ(later.unmade.size(), 1u);
    Record& record = at_once.records.at(0);
    record.id = {};
    record.origin.pid = later.unmade[0].origin.pid;
    std::string json;
    append_json(json, record, {});
    EXPECT_EQ(made_later(observer, later), json);
  };
  tapio_process_fork fork{};
  fork.header = header_of<tapio_process_fork>(TAPIO_PROCESS_FORK);
  fork.tgid = 200;
  fork.parent_tgid = 100;
  fork.cgroup_id = 9;
  std::memcpy(fork.comm, "worker", 7);
  compare(fork.header, [&](auto& to, Output& out) { return feed(to, fork, out); });

  ExecBytes exec;
  exec.event.filename = exec.add("./ls", 4);
  exec.event.executable = exec.add(std::string_view("ls\0bin\0usr\0", 11), 0);
  exec.event.cwd = exec.add(std::string_view("tmp\0", 4), 1);
  exec.event.args = exec.add(std::string_view("ls\0-l\0\0", 7), 7);
  exec.event.credentials.effective = 0x1ff;
  compare(exec.event.header, [&](auto& to, Output& out) { return exec.feed_to(to, out); });

  tapio_process_exit exit{};
  exit.header = header_of<tapio_process_exit>(TAPIO_PROCESS_EXIT);
  exit.status = SIGSEGV | 0x80;
  exit.cpu_ns = 7;
  compare(exit.header, [&](auto& to, Output& out) { return feed(to, exit, out); });
}

TEST(Process, what_is_no_beginning_and_no_end_cannot_be_made_later) {
  const auto event = signal_to(200, 9);
  Arena arena;
  const auto sample = wire::open_sample(std::as_bytes(std::span(&event, 1)));
  EXPECT_FALSE(ProcessObserver({}).make_record(*sample, {}, arena));
}

TEST(Process, a_reload_changes_the_rate_of_records) {
  ProcessObserver observer({.lifecycle_rate_per_second = 3});
  auto settings = config::section<Config>();
  settings->as<Config>().lifecycle_rate_per_second = 0;
  observer.on_settings(*settings);
  Collected out;
  tapio_process_fork event{};
  event.header = header_of<tapio_process_fork>(TAPIO_PROCESS_FORK);
  for (event.tgid = 1; event.tgid <= 10; ++event.tgid) ASSERT_TRUE(feed(observer, event, out));
  EXPECT_EQ(out.records.size(), 10u);
  EXPECT_EQ(out.rate_limited, 0u);
}

TEST(Process, what_the_filter_does_not_want_is_applied_and_not_handed_out) {
  ProcessObserver observer({});
  Collected out;
  tapio_process_fork event{};
  event.header = header_of<tapio_process_fork>(TAPIO_PROCESS_FORK);
  event.header.flags = TAPIO_STATE_ONLY;
  ASSERT_TRUE(feed(observer, event, out));
  EXPECT_EQ(out.facts.size(), 1u);
  EXPECT_TRUE(out.records.empty());
  EXPECT_EQ(out.filtered, 1u);
}

TEST(Process, a_fact_names_the_record_that_comes_behind_it) {
  ProcessObserver observer({});
  Collected out;
  ASSERT_TRUE(feed(observer, signal_to(200, 9), out));
  ASSERT_TRUE(feed(observer, signal_to(200, 15), out));
  ASSERT_EQ(out.records.size(), 2u);
  for (std::size_t i = 0; i < 2; ++i)
    EXPECT_EQ(std::get<SignalSent>(out.facts[i]).evidence, out.records[i].id);
}

TEST(Process, paths_are_turned_round) {
  Arena arena;
  EXPECT_EQ(join_path({}, true, arena), "/");
  EXPECT_EQ(join_path({}, false, arena), "");
  EXPECT_EQ(join_path(std::string_view("a\0b\0", 4), true, arena), "/b/a");
  EXPECT_EQ(join_path("no end", true, arena), "/no end");
}

TEST(ProcessConfig, refuses_what_no_range_can_and_says_what_would_do) {
  const auto refusal = [](const Config& config) {
    const auto checked = config.check();
    return checked ? "accepted" : checked.error().what;
  };
  EXPECT_EQ(refusal({}), "accepted");
  EXPECT_EQ(refusal({.signals = {"KILL", "15"}, .filter_uid = "0"}), "accepted");
  EXPECT_EQ(refusal({.signals = {"KILLER"}}),
            "signals: 'KILLER' is no signal, give names like KILL, numbers, or all");
  EXPECT_EQ(refusal({.ring = ByteSize{5 << 10}}), "ring: give a power of two, like 256KiB");
  EXPECT_EQ(refusal({.filter_uid = "root"}), "filter.uid: 'root' is no user id, give a number");
  EXPECT_THAT(refusal({.filter_comm = "0123456789abcdef"}), testing::HasSubstr("at most 15"));
}

TEST(ProcessConfig, becomes_what_the_programs_compare_with) {
  const Config config{.signals = {"HUP", "KILL"}, .filter_uid = "1000", .filter_comm = "nginx"};
  EXPECT_EQ(config.signal_mask(), 0x101u);
  EXPECT_EQ(config.filter().uid, 1000u);
  EXPECT_STREQ(config.filter().comm, "nginx");
  EXPECT_EQ(config.filter().check, unsigned{TAPIO_CHECK_UID} | unsigned{TAPIO_CHECK_COMM});
  EXPECT_EQ(Config{}.filter().check, 0u);
}

TEST(ProcessConfig, leaves_noise_out_unless_it_is_asked_for) {
  const auto wants = [](const Config& config, int signal) {
    return (config.signal_mask() >> (signal - 1) & 1) != 0;
  };
  for (int signal = 1; signal <= 64; ++signal) {
    EXPECT_EQ(wants({}, signal), signal != SIGCHLD && signal != SIGURG && signal != SIGWINCH)
        << signal;
    EXPECT_TRUE(wants({.signals = {"all"}}, signal)) << signal;
    EXPECT_EQ(wants({.signals = {"CHLD"}}, signal), signal == SIGCHLD) << signal;
  }
}

// The kernel matrix, without a kernel.
std::string_view chosen(const capture::Kernel& kernel, std::size_t hook) {
  const char* program = capture::choose(kHooks, kernel)[hook].program;
  return program ? program : "none";
}

TEST(Process, takes_typed_programs_and_else_raw_ones) {
  using enum capture::Feature;
  for (std::size_t hook = 0; hook <= TAPIO_PROCESS_ON_OOM; ++hook) {
    EXPECT_TRUE(chosen({.features = btf | raw_tp}, hook).ends_with("_raw"));  // 5.4
    EXPECT_TRUE(chosen({.features = btf | raw_tp | tp_btf}, hook).ends_with("_btf"));
  }
  const auto bare = capture::choose(kHooks, {.features = raw_tp});
  ASSERT_TRUE(capture::impossible(bare));
  EXPECT_EQ(capture::impossible(bare)->reason, "fork_btf needs btf, tp_btf; fork_raw needs btf");
}

TEST(Process, what_has_no_tracepoint_is_taken_from_functions_and_else_from_syscalls_if_asked_for) {
  using enum capture::Feature;
  const auto bare = btf | raw_tp | tp_btf;
  const std::set<std::string> asked = {kSyscalls};
  const auto hook = TAPIO_PROCESS_ON_CREDENTIALS;
  EXPECT_EQ(chosen({.features = bare | fentry | kprobe}, hook), "credentials_fentry");
  EXPECT_EQ(chosen({.features = bare | kprobe, .granted = asked}, hook), "credentials_kprobe");
  EXPECT_EQ(chosen({.features = bare, .granted = asked}, hook), "syscalls_btf");
  EXPECT_EQ(chosen({.features = btf | raw_tp, .granted = asked}, hook), "syscalls_raw");
  EXPECT_EQ(
      capture::choose(kHooks, {.features = bare})[hook].reason,
      "credentials_fentry needs fentry; credentials_kprobe needs kprobe; syscalls_btf needs "
      "observers.process.syscalls: true; syscalls_raw needs observers.process.syscalls: true");
}

TEST(Process, the_program_on_syscalls_looks_only_for_what_nothing_else_sees) {
  using enum capture::Feature;
  const capture::Kernel kernel{.features = btf | tp_btf | kprobe,
                               .refused = {{"trace_kprobe", "no such function"}},
                               .granted = {kSyscalls}};
  EXPECT_EQ(served_by_syscalls(capture::choose(kHooks, kernel)), 1u << TAPIO_PROCESS_ON_TRACE);
}

TEST(Process, hooks_stand_in_the_order_of_their_ledger_rows) {
  EXPECT_STREQ(kHooks[TAPIO_PROCESS_ON_FORK].name, "fork");
  EXPECT_STREQ(kHooks[TAPIO_PROCESS_ON_EXIT].name, "exit");
  EXPECT_STREQ(kHooks[TAPIO_PROCESS_ON_DELIVER].name, "signal_deliver");
  EXPECT_STREQ(kHooks[TAPIO_PROCESS_ON_OOM].name, "oom");
  EXPECT_STREQ(kHooks[TAPIO_PROCESS_ON_CREDENTIALS].name, "credentials");
  EXPECT_STREQ(kHooks[TAPIO_PROCESS_ON_TRACE].name, "trace");
  EXPECT_STREQ(kHooks[TAPIO_PROCESS_ON_TRACEME].name, "traceme");
  EXPECT_EQ(std::size(kHooks), TAPIO_PROCESS_ON_MULTIPLY + 1u);
  EXPECT_LE(std::size(kHooks), std::size_t{TAPIO_MAX_HOOKS});
}

}  // namespace
}  // namespace tapio::process
