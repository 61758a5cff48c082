// SPDX-License-Identifier: Apache-2.0
// Every hook of the observer on the live kernel: what real processes do is what is reported.
#include <sched.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>

#include <array>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <thread>

#include "base/text.hpp"
#include "process.abi.h"
#include "process_config.hpp"
#include "record/json.hpp"
#include "rig.hpp"
#include "temporary.hpp"

namespace tapio::process {

extern const Descriptor descriptor;

namespace {

constexpr const char* kShell = "/bin/sh";

// No limit, and nothing but what the tests cause is filtered away by themselves: other processes of
// the machine are seen too, so tests look for their own pids.
std::unique_ptr<config::Section> wide_open(Config config = {}) {
  config.rate_per_second = config.noise_rate_per_second = 0;
  config.lifecycle_rate_per_second = 0;
  config.ring = ByteSize{4 << 20};
  auto section = config::section<Config>();
  section->as<Config>() = config;
  return section;
}

// The test is not its own agent here: what it does itself is to be seen.
Rig make_rig(const Config& config = {}) {
  return Rig(descriptor, *wide_open(config), {.self_tgid = 1});
}

std::vector<SignalSent> signals_to(const Rig& rig, std::uint32_t pid) {
  std::vector<SignalSent> list;
  for (const Fact& fact : rig.out.facts)
    if (const auto* sent = std::get_if<SignalSent>(&fact); sent && sent->target.pid == pid)
      list.push_back(*sent);
  return list;
}

// UTF-8 without control characters.
bool is_clean(std::string_view text) {
  for (std::size_t at = 0; at < text.size();) {
    const auto length = utf8_length(text.substr(at));
    if (length == 0 || static_cast<unsigned char>(text[at]) < 0x20) return false;
    at += length;
  }
  return true;
}

std::uint64_t start_ticks_in_proc(pid_t pid) {
  std::string stat;
  std::getline(std::ifstream("/proc/" + std::to_string(pid) + "/stat"), stat);
  std::istringstream rest(stat.substr(stat.rfind(')') + 2));
  std::string word;
  for (int column = 3; column <= 22; ++column) rest >> word;
  return std::stoull(word);
}

class ProcessOnKernel : public OnEveryPath {};
INSTANTIATE_TEST_SUITE_P(Paths, ProcessOnKernel, kEveryPathAndRing, path_name);

TEST_P(ProcessOnKernel, a_process_is_followed_from_fork_through_exec_to_exit) {
  auto rig = make_rig();
  const pid_t pid = child([] {
    if (::chdir("/tmp")) return 1;
    ::execl(kShell, "sh", "-c", "exit $0", "42", "", nullptr);
    return 127;
  });
  const auto ticks = start_ticks_in_proc(pid);
  ASSERT_EQ(WEXITSTATUS(wait_for(pid)), 42);
  rig.drain();

  const auto* started = fact_about<ProcessStarted>(rig, pid);
  ASSERT_TRUE(started);
  EXPECT_EQ(started->process.start_ticks, ticks);
  EXPECT_EQ(started->parent.pid, static_cast<std::uint32_t>(::getpid()));
  EXPECT_EQ(started->parent.start_ticks, start_ticks_in_proc(::getpid()));

  const auto* executed = fact_about<ProcessExecuted>(rig, pid);
  ASSERT_TRUE(executed);
  EXPECT_EQ(executed->process, started->process);
  ASSERT_EQ(executed->args.size(), 5u);
  EXPECT_EQ(executed->args[2], "exit $0");
  EXPECT_EQ(executed->args[4], "");
  std::array<char, 256> real{};
  ASSERT_TRUE(::realpath(kShell, real.data()));
  EXPECT_EQ(executed->executable, real.data());

  const auto* record = record_of(rig, "process.exec", pid);
  ASSERT_TRUE(record);
  EXPECT_EQ(field<std::string_view>(*record, "process.exec.filename"), kShell);
  EXPECT_EQ(field<std::string_view>(*record, "process.working_directory"), "/tmp");
  EXPECT_EQ(field<std::uint64_t>(*record, "process.user.id"), ::geteuid());

  const auto* exited = fact_about<ProcessExited>(rig, pid);
  ASSERT_TRUE(exited);
  EXPECT_EQ(exited->process, started->process);
  EXPECT_EQ(exited->code, 42);
  EXPECT_EQ(exited->signal, 0);
}

TEST_P(ProcessOnKernel, capabilities_and_ids_are_those_of_proc) {
  auto rig = make_rig();
  int go[2];
  ASSERT_EQ(::pipe(go), 0);
  const pid_t pid = child([&] {
    if (::setresgid(12, 13, 14) || ::setresuid(12, 13, 14)) return 1;
    ::dup2(go[0], 0);
    ::close(go[1]);
    ::execl(kShell, "sh", "-c", "read line", nullptr);
    return 127;
  });
  std::map<std::string, std::string> status;
  for (int i = 0; i < 200 && status["Name:"] != "sh"; ++i, ::usleep(10'000)) {
    std::ifstream in("/proc/" + std::to_string(pid) + "/status");
    for (std::string key, value; in >> key && std::getline(in >> std::ws, value);)
      status[key] = value;
  }
  ::close(go[0]), ::close(go[1]);
  wait_for(pid);
  rig.drain();

  const auto* record = record_of(rig, "process.exec", pid);
  ASSERT_TRUE(record);
  EXPECT_EQ(field<std::uint64_t>(*record, "process.real_user.id"), 12u);
  EXPECT_EQ(field<std::uint64_t>(*record, "process.user.id"), 13u);
  EXPECT_EQ(field<std::uint64_t>(*record, "process.group.id"), 13u);
  EXPECT_EQ(field<std::uint64_t>(*record, "process.real_group.id"), 12u);
  EXPECT_EQ(field<std::string_view>(*record, "process.capabilities.bounding"), status["CapBnd:"]);
  EXPECT_EQ(field<std::string_view>(*record, "process.capabilities.effective"), status["CapEff:"]);
  EXPECT_EQ(field<std::string_view>(*record, "process.capabilities.permitted"), status["CapPrm:"]);
}

// What a child ran, once it has ended; or a few words on what went wrong.
std::string_view executable_of(pid_t pid, Rig& rig) {
  if (WEXITSTATUS(wait_for(pid)) != 0) return "the child did not end well";
  rig.drain();
  const auto* executed = fact_about<ProcessExecuted>(rig, pid);
  return executed ? executed->executable : "no exec was told";
}

// A dentry has room for 31 or 39 characters, by kernel; longer names lie elsewhere.
TEST_P(ProcessOnKernel, a_path_is_told_whole_however_long_its_names_are) {
  auto rig = make_rig();
  const Temporary folder;
  for (const std::size_t length : {1, 7, 8, 31, 32, 39, 40, 41, 255}) {
    SCOPED_TRACE(length);
    const auto directory = folder.file(std::string(length, 'd').c_str());
    const auto file = directory + "/" + std::string(length, 'f');
    std::filesystem::create_directory(directory);
    std::filesystem::copy_file("/bin/true", file);
    const pid_t pid = child([&] {
      ::execl(file.c_str(), "true", nullptr);
      return 127;
    });
    ASSERT_EQ(executable_of(pid, rig), file);
  }
}

TEST_P(ProcessOnKernel, a_path_goes_on_above_the_mount_that_it_begins_in) {
  auto rig = make_rig();
  const Temporary folder;
  const auto mount = folder.file("mount"), file = mount + "/below/a/program";
  std::filesystem::create_directory(mount);
  const pid_t pid = child([&] {
    if (::unshare(CLONE_NEWNS) || ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) ||
        ::mount("tapio", mount.c_str(), "tmpfs", 0, nullptr))
      return 126;
    std::filesystem::create_directories(mount + "/below/a");
    std::filesystem::copy_file("/bin/true", file);
    if (::chdir((mount + "/below").c_str())) return 126;
    ::execl(file.c_str(), "true", nullptr);
    return 127;
  });
  ASSERT_EQ(executable_of(pid, rig), file);
  EXPECT_EQ(
      field<std::string_view>(*record_of(rig, "process.exec", pid), "process.working_directory"),
      mount + "/below");
}

TEST_P(ProcessOnKernel, long_arguments_are_cut_and_their_length_is_told) {
  auto rig = make_rig();
  const std::string big(50'000, 'x');
  const pid_t pid = child([&] {
    ::execl(kShell, "sh", "-c", ":", big.c_str(), nullptr);
    return 127;
  });
  wait_for(pid);
  rig.drain();
  const auto* executed = fact_about<ProcessExecuted>(rig, pid);
  ASSERT_TRUE(executed);
  EXPECT_EQ(executed->args_bytes, sizeof "sh" + sizeof "-c" + sizeof ":" + big.size() + 1);
  EXPECT_EQ(executed->args.back().size(),
            TAPIO_PROCESS_ARGS_BYTES - sizeof "sh" - sizeof "-c" - sizeof ":");
  EXPECT_TRUE(field<bool>(*record_of(rig, "process.exec", pid), "process.command_args.cut"));
}

struct Hostile {
  const char* what;
  std::vector<std::string> args;
};

std::vector<Hostile> hostile_arguments() {
  std::string bytes;  // all but NUL: no UTF-8, control characters, escape sequences
  for (int i = 1; i < 256; ++i) bytes += static_cast<char>(i);
  return {{"none at all", {}},
          {"20,000 of them", std::vector<std::string>(20'000, "x")},
          {"1,000 empty ones", std::vector<std::string>(1'000, "")},
          {"one as long as the kernel allows", {std::string(131'071, 'y')}},
          {"two megabytes less the room for others",
           std::vector<std::string>(14, std::string(131'071, 'z'))},
          {"any bytes", {bytes, "\xff\xfe", "\x1b[2J\x1b]0;title\x07", "\xed\xa0\x80", "a\nb"}}};
}

TEST_P(ProcessOnKernel, hostile_arguments_are_bounded_counted_and_harmless_to_readers) {
  auto rig = make_rig();
  for (auto all = hostile_arguments(); Hostile & hostile : all) {
    SCOPED_TRACE(hostile.what);
    std::vector<char*> argv;
    std::uint64_t bytes = 0;
    for (std::string& arg : hostile.args) {
      argv.push_back(arg.data());
      bytes += arg.size() + 1;
    }
    argv.push_back(nullptr);
    const pid_t pid = child([&] {
      ::execve("/bin/true", argv.data(), environ);
      return 127;
    });
    wait_for(pid);
    rig.drain();
    const auto* executed = fact_about<ProcessExecuted>(rig, pid);
    ASSERT_TRUE(executed);
    // From 5.18 on the kernel gives an empty name to who has none (dcd46d897adb).
    if (hostile.args.empty()) {
      EXPECT_LE(executed->args_bytes, 1u);
    } else {
      EXPECT_EQ(executed->args_bytes, bytes);
    }
    EXPECT_LE(executed->args.size(), 256u);
    std::size_t kept = 0;
    for (const auto arg : executed->args) kept += arg.size();
    EXPECT_LE(kept, TAPIO_PROCESS_ARGS_BYTES);
    std::string json;
    append_json(json, *record_of(rig, "process.exec", pid), Clocks{});
    EXPECT_TRUE(is_clean(json)) << json;
  }
}

TEST_P(ProcessOnKernel, threads_are_not_processes_and_the_last_of_them_ends_it) {
  auto rig = make_rig();
  const pid_t pid = child([] {
    std::array<std::thread, 4> threads;
    for (auto& thread : threads) thread = std::thread([] { ::usleep(1000); });
    for (auto& thread : threads) thread.join();
    return 3;
  });
  wait_for(pid);
  rig.drain();
  int starts = 0, exits = 0;
  for (const Fact& fact : rig.out.facts) {
    const auto* started = std::get_if<ProcessStarted>(&fact);
    const auto* exited = std::get_if<ProcessExited>(&fact);
    starts += started && (started->process.pid == static_cast<std::uint32_t>(pid) ||
                          started->parent.pid == static_cast<std::uint32_t>(pid));
    exits += exited && exited->process.pid == static_cast<std::uint32_t>(pid);
  }
  EXPECT_EQ(starts, 1);
  EXPECT_EQ(exits, 1);
}

TEST_P(ProcessOnKernel, an_exit_tells_life_cpu_time_and_memory) {
  auto rig = make_rig();
  constexpr std::size_t kBytes = 32 << 20;
  const pid_t pid = child([] {
    std::vector<char> memory(kBytes, 1);
    ::usleep(30'000);
    const auto until = monotonic_now() + std::chrono::milliseconds(30);
    while (monotonic_now() < until) memory[7] = static_cast<char>(memory[7] + 1);
    return 0;
  });
  wait_for(pid);
  rig.drain();
  const auto* record = record_of(rig, "process.exit", pid);
  ASSERT_TRUE(record);
  using std::chrono::nanoseconds;
  using namespace std::chrono_literals;
  EXPECT_GE(field<nanoseconds>(*record, "process.uptime"), 60ms);
  EXPECT_GT(field<nanoseconds>(*record, "process.cpu.time"), 1ms);
  EXPECT_LT(field<nanoseconds>(*record, "process.cpu.time"),
            field<nanoseconds>(*record, "process.uptime"));
  EXPECT_GE(field<std::uint64_t>(*record, "process.memory.peak_rss"), kBytes);
}

// What a target was sent, and how the kernel says it came about.
struct Way {
  const char* name;
  std::function<void(pid_t)> send;  // nullptr: the target does it to itself
  std::function<void()> suffer;
  int signal;
  SignalClass by;
  bool has_sender;
};

const std::vector<Way>& ways() {
  static const std::vector<Way> list = {
      {"kill", [](pid_t t) { ::kill(t, SIGKILL); }, {}, SIGKILL, SignalClass::user, true},
      {"tgkill",
       [](pid_t t) { ::syscall(SYS_tgkill, t, t, SIGTERM); },
       {},
       SIGTERM,
       SignalClass::tkill,
       true},
      {"sigqueue",
       [](pid_t t) { ::sigqueue(t, SIGUSR1, {.sival_int = 5}); },
       {},
       SIGUSR1,
       SignalClass::queue,
       true},
      {"pidfd",
       [](pid_t t) {
         const int fd = static_cast<int>(::syscall(SYS_pidfd_open, t, 0));
         ::syscall(SYS_pidfd_send_signal, fd, SIGHUP, nullptr, 0);
         ::close(fd);
       },
       {},
       SIGHUP,
       SignalClass::user,
       true},
      {"alarm", {}, [] { ::ualarm(1000, 0), ::pause(); }, SIGALRM, SignalClass::timer, false},
      {"fault",
       {},
       [] {
         void* page = ::mmap(nullptr, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
         *static_cast<volatile int*>(page) = 1;
       },
       SIGSEGV,
       SignalClass::kernel_fault,
       false},
      {"pipe",
       {},
       [] {
         int ends[2];
         if (::pipe(ends)) return;
         ::close(ends[0]);
         (void)!::write(ends[1], "x", 1);
       },
       SIGPIPE,
       SignalClass::kernel,
       false},
      {"abort", {}, [] { ::abort(); }, SIGABRT, SignalClass::tkill, true},
  };
  return list;
}

TEST_P(ProcessOnKernel, each_way_to_die_by_a_signal_is_told_as_what_it_was) {
  auto rig = make_rig();
  for (const Way& way : ways()) {
    SCOPED_TRACE(way.name);
    const pid_t pid = child([&] {
      for (int signal = 1; signal < 32; ++signal) ::signal(signal, SIG_DFL);
      if (way.suffer) way.suffer();
      while (true) ::pause();
      return 0;
    });
    if (way.send) ::usleep(20'000), way.send(pid);
    const int status = wait_for(pid);
    ASSERT_TRUE(WIFSIGNALED(status));
    rig.drain();

    const auto sent = signals_to(rig, pid);
    const auto lethal = std::ranges::find(sent, true, &SignalSent::lethal);
    ASSERT_NE(lethal, sent.end());
    EXPECT_EQ(lethal->signal, way.signal);
    EXPECT_EQ(lethal->by, way.by) << name(lethal->by);
    EXPECT_EQ(bool{lethal->sender}, way.has_sender);
    if (way.send) {
      EXPECT_EQ(lethal->sender.pid, static_cast<std::uint32_t>(::getpid()));
    }
    const auto* exited = fact_about<ProcessExited>(rig, pid);
    ASSERT_TRUE(exited);
    EXPECT_EQ(exited->signal, way.signal);
    const auto* death = record_of(rig, "process.death", pid);
    ASSERT_TRUE(death);
    EXPECT_EQ(death->origin.event_class, TAPIO_CRITICAL);
  }
}

TEST_P(ProcessOnKernel, a_signal_that_is_handled_is_not_deadly_and_its_taking_is_seen) {
  auto rig = make_rig();
  const pid_t pid = child([] {
    ::signal(SIGUSR2, [](int) {});
    ::kill(::getpid(), SIGUSR2);
    ::signal(SIGTERM, SIG_IGN);
    ::kill(::getpid(), SIGTERM);
    return 0;
  });
  wait_for(pid);
  rig.drain();
  const auto sent = signals_to(rig, pid);
  ASSERT_EQ(sent.size(), 2u);
  EXPECT_FALSE(sent[0].lethal);
  EXPECT_EQ(sent[0].result, SignalResult::delivered);
  EXPECT_FALSE(sent[1].lethal);
  EXPECT_EQ(sent[1].result, SignalResult::ignored);
  const auto* delivery = record_of(rig, "process.signal.delivery", pid);
  ASSERT_TRUE(delivery);
  EXPECT_EQ(field<std::string_view>(*delivery, "signal.disposition"), "handler");
}

TEST_P(ProcessOnKernel, a_pid_namespace_gives_a_process_its_second_number) {
  auto rig = make_rig();
  const pid_t outer = child([] {
    if (::unshare(CLONE_NEWPID)) return 99;
    return WEXITSTATUS(wait_for(child([] { return ::getpid() == 1 ? 7 : 8; })));
  });
  const int status = wait_for(outer);
  ASSERT_EQ(WEXITSTATUS(status), 7) << "no new pid namespace could be made";
  rig.drain();
  const auto inner = std::ranges::find_if(rig.out.facts, [&](const Fact& fact) {
    const auto* started = std::get_if<ProcessStarted>(&fact);
    return started && started->parent.pid == static_cast<std::uint32_t>(outer);
  });
  ASSERT_NE(inner, rig.out.facts.end());
  const auto& started = std::get<ProcessStarted>(*inner);
  EXPECT_EQ(started.virtual_pid, 1u);
  EXPECT_NE(started.process.pid, 1u);
  struct stat own{};
  ::stat("/proc/self/ns/pid", &own);
  EXPECT_NE(started.pid_namespace, own.st_ino);
}

TEST_P(ProcessOnKernel, the_cgroup_id_is_the_inode_of_its_directory) {
  auto rig = make_rig();
  if (rig.hierarchy.mount.empty()) GTEST_SKIP() << "no cgroup file system is mounted";
  const std::string dir = rig.hierarchy.mount + "/tapio-test-" + std::to_string(::getpid());
  ASSERT_EQ(::mkdir(dir.c_str(), 0755), 0) << dir << ": " << std::strerror(errno);
  const pid_t pid = child([&] {
    std::ofstream(dir + "/cgroup.procs") << ::getpid() << std::flush;
    return WEXITSTATUS(wait_for(child([] { return 0; })));
  });
  wait_for(pid);
  struct stat status{};
  ::stat(dir.c_str(), &status);
  ::rmdir(dir.c_str());
  rig.drain();
  const auto* exited = fact_about<ProcessExited>(rig, pid);
  ASSERT_TRUE(exited);
  // Before 5.5 the upper half of the id is a generation.
  EXPECT_EQ(static_cast<std::uint32_t>(exited->cgroup_id),
            static_cast<std::uint32_t>(status.st_ino));
}

TEST_P(ProcessOnKernel, filters_hold_records_back_in_the_kernel_and_never_facts) {
  auto rig = make_rig({.filter_uid = "4321"});
  const pid_t other = child([] { return 0; });
  wait_for(other);
  const pid_t wanted = child([] {
    if (::setresuid(4321, 4321, 4321)) return 1;
    ::signal(SIGUSR1, SIG_IGN);
    ::kill(::getpid(), SIGUSR1);
    return WEXITSTATUS(wait_for(child([] { return 0; })));
  });
  wait_for(wanted);
  ::kill(::getpid(), SIGCONT);
  rig.drain();

  EXPECT_TRUE(fact_about<ProcessExited>(rig, other));
  EXPECT_FALSE(record_of(rig, "process.exit", other));
  EXPECT_TRUE(record_of(rig, "process.exit", wanted));
  EXPECT_TRUE(record_of(rig, "process.signal", wanted));
  for (const Record& record : rig.out.records)
    EXPECT_NE(record.origin.pid, static_cast<std::uint32_t>(::getpid())) << record.schema->name;
}

TEST_P(ProcessOnKernel, only_the_signals_of_the_mask_are_reported) {
  auto rig = make_rig({.signals = {"USR1", "12"}});
  const pid_t pid = child([] {
    for (const int signal : {SIGUSR1, SIGUSR2, SIGHUP}) {
      ::signal(signal, SIG_IGN);
      ::kill(::getpid(), signal);
    }
    return 0;
  });
  wait_for(pid);
  rig.drain();
  const auto sent = signals_to(rig, pid);
  ASSERT_EQ(sent.size(), 2u);
  EXPECT_EQ(sent[0].signal, SIGUSR1);
  EXPECT_EQ(sent[1].signal, SIGUSR2);
}

// The end of a child makes one.
TEST_P(ProcessOnKernel, sigchld_is_told_only_to_who_asks_for_it) {
  const auto told = [](const Config& config) {
    auto rig = make_rig(config);
    const pid_t pid = child([] {
      wait_for(child([] { return 0; }));
      return 0;
    });
    wait_for(pid);
    rig.drain();
    return std::ranges::count(signals_to(rig, pid), SIGCHLD, &SignalSent::signal);
  };
  EXPECT_EQ(told({}), 0);
  EXPECT_EQ(told({.signals = {"all"}}), 1);
}

TEST_P(ProcessOnKernel, the_agent_does_not_see_itself_not_even_inside_a_pid_namespace) {
  const auto sees_itself = [] {
    Rig rig(descriptor, *wide_open(), {});  // self_tgid as this namespace has it
    ::signal(SIGUSR1, SIG_IGN);
    for (int i = 0; i < 20; ++i) ::kill(::getpid(), SIGUSR1);
    wait_for(child([] {
      ::kill(::getpid(), SIGUSR1);
      return 0;
    }));
    rig.drain();
    int own = 0, others = 0;
    for (const Record& record : rig.out.records) {
      if (record.schema->name != std::string_view("process.signal")) continue;
      if (field<std::int64_t>(record, "signal.number") != SIGUSR1) continue;
      (field<std::uint64_t>(record, "signal.target.pid") == record.origin.pid &&
               record.origin.tid == record.origin.pid
           ? others
           : own)++;
    }
    return !rig.out.records.empty() && own + others == 1 ? 0 : 1;
  };
  EXPECT_EQ(sees_itself(), 0);
  if (!*GetParam() || !std::strcmp(GetParam(), "tp_btf")) {
    const pid_t outer = child([&] {
      if (::unshare(CLONE_NEWPID | CLONE_NEWNS)) return 99;
      return WEXITSTATUS(wait_for(child([&] {
        ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr);
        if (::mount("proc", "/proc", "proc", 0, nullptr)) return 98;
        return sees_itself();
      })));
    });
    EXPECT_EQ(WEXITSTATUS(wait_for(outer)), 0);
  }
}

// Its interrupt comes while the agent works, on the same CPU.
TEST_P(ProcessOnKernel, a_timer_that_runs_out_while_the_agent_works_is_seen) {
  constexpr auto kArmed = std::chrono::milliseconds(50);
  pin_to(0);
  Rig rig(descriptor, *wide_open(), {});
  const pid_t pid = child([=]() -> int {
    const itimerval timer{
        .it_interval = {},
        .it_value = {.tv_sec = 0, .tv_usec = std::chrono::microseconds(kArmed).count()}};
    if (::setitimer(ITIMER_REAL, &timer, nullptr)) return 1;
    while (true) ::pause();
  });
  int status = 0;
  while (::waitpid(pid, &status, WNOHANG) == 0) {
  }
  ASSERT_EQ(WTERMSIG(status), SIGALRM);
  rig.drain();
  const auto sent = signals_to(rig, pid);
  ASSERT_EQ(sent.size(), 1u);
  EXPECT_EQ(sent[0].signal, SIGALRM);
  EXPECT_FALSE(sent[0].sender);
}

}  // namespace
}  // namespace tapio::process
