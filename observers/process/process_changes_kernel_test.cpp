// SPDX-License-Identifier: Apache-2.0
// Credentials, ptrace, failed execs and OOM kills on the live kernel. What has no tracepoint is
// seen by whatever way there is, and each way must tell the same.
#include <fcntl.h>
#include <sched.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "process.abi.h"
#include "process_config.hpp"
#include "rig.hpp"

namespace tapio::process {

extern const Descriptor descriptor;

namespace {

constexpr std::uint32_t kUser = 1234;
constexpr int kNotPossible = 77;

Rig make_rig(Config config = {}) {
  config.rate_per_second = config.noise_rate_per_second = 0;
  config.lifecycle_rate_per_second = 0;
  config.ring = ByteSize{4 << 20};
  auto section = config::section<Config>();
  section->as<Config>() = config;
  return Rig(descriptor, *section, {.self_tgid = 1});
}

template <typename Kind, typename Wanted>
std::vector<Kind> facts(const Rig& rig, const Wanted& wanted) {
  std::vector<Kind> list;
  for (const Fact& fact : rig.out.facts)
    if (const auto* kind = std::get_if<Kind>(&fact); kind && wanted(*kind)) list.push_back(*kind);
  return list;
}

std::vector<CredentialsChanged> changes_of(const Rig& rig, pid_t pid) {
  return facts<CredentialsChanged>(rig, [&](const CredentialsChanged& fact) {
    return fact.process.pid == static_cast<std::uint32_t>(pid);
  });
}

std::vector<ExecFailed> failed_execs_of(const Rig& rig, pid_t pid) {
  return facts<ExecFailed>(rig, [&](const ExecFailed& fact) {
    return fact.process.pid == static_cast<std::uint32_t>(pid);
  });
}

std::vector<Traced> traces_of(const Rig& rig, pid_t target) {
  return facts<Traced>(rig, [&](const Traced& fact) {
    return fact.target.pid == static_cast<std::uint32_t>(target);
  });
}

int become(std::uint32_t user) {
  return ::setresgid(user, user, user) || ::setresuid(user, user, user) ? 1 : 0;
}

bool is_seen(const Rig& rig, std::size_t hook) {
  return !rig.program(hook).empty();
}

class ChangesOnKernel : public OnEveryPath {};
INSTANTIATE_TEST_SUITE_P(Paths, ChangesOnKernel, kFunctionPaths, path_name);

TEST_P(ChangesOnKernel, a_user_that_was_changed_is_known_at_the_latest_at_the_end) {
  auto rig = make_rig();
  const pid_t pid = child([] { return become(kUser); });
  ASSERT_EQ(WEXITSTATUS(wait_for(pid)), 0);
  rig.drain();

  const auto changes = changes_of(rig, pid);
  const bool seen = is_seen(rig, TAPIO_PROCESS_ON_CREDENTIALS);
  ASSERT_EQ(changes.size(), seen ? 2u : 1u) << rig.program(TAPIO_PROCESS_ON_CREDENTIALS);
  EXPECT_EQ(changes.front().before.uid, 0u);
  EXPECT_EQ(changes.back().after.uid, kUser);
  EXPECT_EQ(changes.back().after.sgid, kUser);
  EXPECT_EQ(changes.back().after.effective, 0u);
  EXPECT_FALSE(changes.back().gained);
  EXPECT_EQ(changes.back().via, seen ? CredentialsVia::syscall : CredentialsVia::found);
  EXPECT_TRUE(record_of(rig, "process.credentials", pid));
}

TEST_P(ChangesOnKernel, a_user_that_was_changed_is_known_at_the_latest_when_it_forks) {
  auto rig = make_rig();
  const pid_t pid = child([] {
    if (become(kUser)) return 1;
    return WEXITSTATUS(wait_for(child([] { return 0; })));
  });
  ASSERT_EQ(WEXITSTATUS(wait_for(pid)), 0);
  rig.drain();

  const auto children = facts<ProcessStarted>(rig, [&](const ProcessStarted& fact) {
    return fact.parent.pid == static_cast<std::uint32_t>(pid);
  });
  ASSERT_EQ(children.size(), 1u);
  ASSERT_TRUE(children[0].credentials);
  EXPECT_EQ(children[0].credentials->uid, kUser);
  const auto changes = changes_of(rig, pid);
  ASSERT_FALSE(changes.empty());
  EXPECT_LE(changes.back().time, children[0].time);
  EXPECT_EQ(changes.back().after, *children[0].credentials);
  EXPECT_TRUE(changes_of(rig, static_cast<pid_t>(children[0].process.pid)).empty());
}

TEST_P(ChangesOnKernel, an_exec_of_a_set_user_id_file_gains_and_is_told_as_one) {
  auto rig = make_rig();
  const std::filesystem::path file = "/tmp/tapio-set-id-" + std::to_string(::getpid());
  std::filesystem::copy_file(std::filesystem::canonical("/bin/sh"), file);
  ASSERT_EQ(::chmod(file.c_str(), 04755), 0);
  const pid_t user = child([&] {
    if (become(kUser)) return 1;
    return WEXITSTATUS(wait_for(child([&] {
      ::execl(file.c_str(), "sh", "-c", ":", nullptr);
      return 1;
    })));
  });
  EXPECT_EQ(WEXITSTATUS(wait_for(user)), 0);
  std::filesystem::remove(file);
  rig.drain();

  const auto started = facts<ProcessStarted>(rig, [&](const ProcessStarted& fact) {
    return fact.parent.pid == static_cast<std::uint32_t>(user);
  });
  ASSERT_EQ(started.size(), 1u);
  const auto pid = started[0].process.pid;
  const auto changes = changes_of(rig, static_cast<pid_t>(pid));
  ASSERT_FALSE(changes.empty());
  const auto& change = changes.front();  // a shell may drop what it got
  EXPECT_EQ(change.via, CredentialsVia::exec);
  EXPECT_EQ(change.executable, file.native());
  EXPECT_EQ(change.before.euid, kUser);
  EXPECT_EQ(change.after.uid, kUser);
  EXPECT_EQ(change.after.euid, 0u);
  EXPECT_TRUE(change.set_id_file);
  EXPECT_TRUE(change.gained);
  const auto* record = record_of(rig, "process.exec", pid);
  ASSERT_TRUE(record);
  EXPECT_TRUE(field<bool>(*record, "process.executable.set_id"));
}

TEST_P(ChangesOnKernel, an_exec_after_a_change_is_not_what_changed_it) {
  auto rig = make_rig();
  const pid_t pid = child([] {
    if (become(kUser)) return 1;
    ::execl("/bin/sh", "sh", "-c", ":", nullptr);
    return 127;
  });
  wait_for(pid);
  rig.drain();
  const auto changes = changes_of(rig, pid);
  ASSERT_FALSE(changes.empty());
  for (const auto& change : changes) EXPECT_NE(change.via, CredentialsVia::exec);
}

TEST_P(ChangesOnKernel, a_user_namespace_of_its_own_is_a_change_and_no_gain) {
  auto rig = make_rig();
  const pid_t pid = child([] {
    if (become(kUser)) return 1;
    if (::unshare(CLONE_NEWUSER)) return kNotPossible;
    return 0;
  });
  if (WEXITSTATUS(wait_for(pid)) == kNotPossible) GTEST_SKIP() << "users may not make namespaces";
  rig.drain();
  const auto changes = changes_of(rig, pid);
  ASSERT_FALSE(changes.empty());
  EXPECT_NE(changes.back().after.user_namespace, changes.front().before.user_namespace);
  EXPECT_NE(changes.back().after.effective, 0u) << "all capabilities, in there";
  for (const auto& change : changes) EXPECT_FALSE(change.gained);
}

TEST_P(ChangesOnKernel, a_child_in_a_user_namespace_of_its_own_changes_nobody) {
  auto rig = make_rig();
  const pid_t pid = child([] {
    const auto inner = static_cast<pid_t>(
        ::syscall(SYS_clone, static_cast<unsigned long>(CLONE_NEWUSER) | SIGCHLD, 0, 0, 0, 0));
    if (inner == 0) ::_exit(0);
    return inner < 0 ? kNotPossible : WEXITSTATUS(wait_for(inner));
  });
  if (WEXITSTATUS(wait_for(pid)) == kNotPossible) GTEST_SKIP() << "no user namespaces";
  rig.drain();
  EXPECT_TRUE(changes_of(rig, pid).empty());
  const auto inner = facts<ProcessStarted>(rig, [&](const ProcessStarted& fact) {
    return fact.parent.pid == static_cast<std::uint32_t>(pid);
  });
  ASSERT_EQ(inner.size(), 1u);
  struct stat own{};
  ::stat("/proc/self/ns/user", &own);
  EXPECT_NE(inner[0].credentials->user_namespace, own.st_ino);
  EXPECT_TRUE(changes_of(rig, static_cast<pid_t>(inner[0].process.pid)).empty());
}

TEST_P(ChangesOnKernel, whoever_asks_for_it_sees_credentials_change_as_it_happens_everywhere) {
  auto rig = make_rig({.syscalls = true});
  ASSERT_TRUE(is_seen(rig, TAPIO_PROCESS_ON_CREDENTIALS));
  const pid_t pid = child([] { return become(kUser); });
  wait_for(pid);
  rig.drain();
  const auto changes = changes_of(rig, pid);
  ASSERT_EQ(changes.size(), 2u);  // the group, then the user
  EXPECT_EQ(changes[0].after.gid, kUser);
  EXPECT_EQ(changes[0].after.uid, 0u);
  EXPECT_EQ(changes[1].after.uid, kUser);
  for (const auto& change : changes) EXPECT_EQ(change.via, CredentialsVia::syscall);
}

// A target that waits, and what is to be done to it; the tracer is a process of its own.
pid_t trace_somebody(pid_t* tracer, const std::function<int(pid_t)>& attach) {
  const pid_t target = child([] {
    while (true) ::pause();
    return 0;
  });
  *tracer = child([&] { return attach(target); });
  const int status = wait_for(*tracer);
  ::kill(target, SIGKILL);
  wait_for(target);
  EXPECT_EQ(WEXITSTATUS(status), 0);
  return target;
}

TEST_P(ChangesOnKernel, who_attaches_to_whom_is_told_where_it_can_be_seen) {
  for (const bool opted_in : {false, true}) {
    auto rig = make_rig({.syscalls = opted_in});
    pid_t tracer = 0;
    const pid_t target = trace_somebody(
        &tracer, [](pid_t pid) { return ::ptrace(PTRACE_SEIZE, pid, nullptr, nullptr) ? 1 : 0; });
    rig.drain();
    const auto traces = traces_of(rig, target);
    const auto program = rig.program(TAPIO_PROCESS_ON_TRACE);
    ASSERT_EQ(traces.size(), program.empty() ? 0u : 1u) << program;
    if (program.empty()) continue;
    EXPECT_EQ(traces[0].request, program.starts_with("syscalls") ? "attach" : "access");
    EXPECT_EQ(traces[0].tracer.pid, static_cast<std::uint32_t>(tracer));
    EXPECT_TRUE(traces[0].tracer.start_ticks);
    EXPECT_TRUE(record_of(rig, "process.trace", tracer));
  }
}

TEST_P(ChangesOnKernel, to_read_of_another_process_is_not_to_control_it) {
  auto rig = make_rig({.syscalls = true});
  pid_t tracer = 0;
  const pid_t target = trace_somebody(&tracer, [](pid_t pid) {
    const auto environ = "/proc/" + std::to_string(pid) + "/environ";
    return std::ifstream(environ).peek() == std::ifstream::traits_type::eof();
  });
  rig.drain();
  EXPECT_TRUE(traces_of(rig, target).empty());
}

TEST_P(ChangesOnKernel, who_asks_to_be_traced_is_the_target) {
  auto rig = make_rig({.syscalls = true});
  const pid_t pid = child([] { return ::ptrace(PTRACE_TRACEME, 0, nullptr, nullptr) ? 1 : 0; });
  ASSERT_EQ(WEXITSTATUS(wait_for(pid)), 0);
  rig.drain();
  const auto traces = traces_of(rig, pid);
  ASSERT_EQ(traces.size(), 1u);
  EXPECT_EQ(traces[0].request, "traceme");
  EXPECT_EQ(traces[0].tracer.pid, static_cast<std::uint32_t>(::getpid()));
}

pid_t fail_to_exec(const char* file) {
  const pid_t pid = child([&] {
    ::execl(file, file, nullptr);
    return 127;
  });
  wait_for(pid);
  return pid;
}

TEST_P(ChangesOnKernel, a_failed_exec_is_told_once_seen_or_concluded) {
  for (const bool opted_in : {false, true}) {
    auto rig = make_rig({.syscalls = opted_in});
    const pid_t pid = fail_to_exec("/nonexistent/program");
    rig.drain();
    const auto failed = failed_execs_of(rig, pid);
    const auto program = rig.program(TAPIO_PROCESS_ON_EXEC_FAILED);
    ASSERT_EQ(failed.size(), 1u) << program;
    EXPECT_EQ(failed[0].parent.pid, static_cast<std::uint32_t>(::getpid()));
    EXPECT_EQ(failed[0].error, program.empty() ? 0 : ENOENT);
    EXPECT_EQ(failed[0].status, program.empty() ? 127 : 0);
    const bool names_file = !program.empty() && program != "exec_failed_kretprobe";
    EXPECT_EQ(failed[0].filename, names_file ? "/nonexistent/program" : "");
    const auto* record = record_of(rig, "process.exec.failed", pid);
    ASSERT_TRUE(record);
    EXPECT_EQ(field<bool>(*record, "process.exec.concluded"), program.empty());
  }
}

TEST_P(ChangesOnKernel, a_program_that_ends_with_127_has_not_failed_to_run) {
  auto rig = make_rig();
  const pid_t pid = child([] {
    ::execl("/bin/sh", "sh", "-c", "exit 127", nullptr);
    return 1;
  });
  wait_for(pid);
  rig.drain();
  EXPECT_TRUE(failed_execs_of(rig, pid).empty());
}

TEST_P(ChangesOnKernel, the_books_of_all_hooks_are_balanced) {
  auto rig = make_rig({.syscalls = true});
  fail_to_exec("/nonexistent/program");
  wait_for(child([] { return become(kUser); }));
  rig.programs->detach();
  rig.drain();
  for (const auto hook : {TAPIO_PROCESS_ON_CREDENTIALS, TAPIO_PROCESS_ON_EXEC_FAILED}) {
    const auto balance = rig.balance(hook);
    EXPECT_GT(balance.row.classes[TAPIO_NORMAL].outcome[TAPIO_EMITTED], 0u);
    EXPECT_EQ(balance.residue, 0u);
  }
}

// Two memory cgroups, the limit on the outer one. Removed at the end.
class LimitedCgroup {
 public:
  static constexpr std::uint64_t kLimit = 16 << 20;

  LimitedCgroup() : where_(memory_cgroups()) {
    if (where_.mount.empty()) return;
    outer = where_.mount + "/tapio-oom-" + std::to_string(::getpid());
    inner = outer + "/inner";
    made_ = ::mkdir(outer.c_str(), 0755) == 0;
    if (where_.v2) write("cgroup.subtree_control", "+memory");
    made_ = made_ && ::mkdir(inner.c_str(), 0755) == 0;
    const auto limit = std::to_string(kLimit);
    write(where_.v2 ? "memory.max" : "memory.limit_in_bytes", limit);
    // Not there without swap accounting; nor needed then.
    write(where_.v2 ? "memory.swap.max" : "memory.memsw.limit_in_bytes", where_.v2 ? "0" : limit);
  }
  LimitedCgroup(const LimitedCgroup&) = delete;
  ~LimitedCgroup() {
    for (const auto& dir : {inner, outer})
      for (int i = 0; i < 100 && ::rmdir(dir.c_str()) && errno == EBUSY; ++i) ::usleep(10'000);
  }
  [[nodiscard]] bool made() const { return made_; }
  [[nodiscard]] static std::uint64_t id(const std::string& dir) {
    struct stat status{};
    return ::stat(dir.c_str(), &status) ? 0 : status.st_ino;
  }

  std::string outer, inner;

 private:
  void write(const char* file, const std::string& text) const {
    std::ofstream(outer + "/" + file) << text << std::flush;
  }
  MemoryCgroups where_;
  bool made_ = false;
};

int eat_memory_in(const std::string& cgroup) {
  std::ofstream("/proc/self/oom_score_adj") << 500 << std::flush;
  std::ofstream procs(cgroup + "/cgroup.procs");
  if (!(procs << ::getpid() << std::flush)) return 1;
  std::vector<char> memory(4 * LimitedCgroup::kLimit, 'x');
  return memory[7] == 'x' ? 2 : 3;
}

class OomOnKernel : public OnEveryPath {};
INSTANTIATE_TEST_SUITE_P(Paths, OomOnKernel, kEveryPath, path_name);

TEST_P(OomOnKernel, a_kill_for_memory_names_the_victim_and_the_cgroup_that_was_full) {
  const LimitedCgroup cgroup;
  if (!cgroup.made()) GTEST_SKIP() << "no memory cgroup can be made";
  auto rig = make_rig();
  std::uint64_t pages = 0, resident = 0;  // of this process, which the victim begins with
  std::ifstream("/proc/self/statm") >> pages >> resident;
  resident *= static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
  const pid_t pid = child([&] { return eat_memory_in(cgroup.inner); });
  const int status = wait_for(pid);
  ASSERT_TRUE(WIFSIGNALED(status)) << WEXITSTATUS(status);
  rig.drain();

  const auto kills = facts<OomKilled>(rig, [&](const OomKilled& fact) {
    return fact.victim.pid == static_cast<std::uint32_t>(pid);
  });
  ASSERT_EQ(kills.size(), 1u);
  const OomKilled& kill = kills[0];
  EXPECT_EQ(kill.victim, fact_about<ProcessStarted>(rig, pid)->process);
  EXPECT_EQ(kill.running, kill.victim) << "it wanted the memory itself";
  EXPECT_EQ(kill.score_adj, 500);
  EXPECT_GT(kill.anon_rss, LimitedCgroup::kLimit / 2);
  EXPECT_LT(kill.anon_rss, LimitedCgroup::kLimit + resident) << "some it had before it came in";

  const auto* record = record_of(rig, "process.oom", pid);
  ASSERT_TRUE(record);
  EXPECT_EQ(record->origin.event_class, TAPIO_CRITICAL);
  EXPECT_EQ(field<std::uint64_t>(*record, "process.oom.cgroup.id"),
            LimitedCgroup::id(cgroup.inner));
  EXPECT_EQ(field<std::uint64_t>(*record, "process.oom.limit.cgroup.id"),
            LimitedCgroup::id(cgroup.outer));
  EXPECT_EQ(field<std::uint64_t>(*record, "process.oom.limit.max"), LimitedCgroup::kLimit);
  const auto usage = field<std::uint64_t>(*record, "process.oom.limit.usage");
  EXPECT_LE(usage, LimitedCgroup::kLimit);
  EXPECT_GT(usage, LimitedCgroup::kLimit - LimitedCgroup::kLimit / 16);
  EXPECT_FALSE(field<std::uint64_t>(*record, "process.oom.cgroup.max")) << "no limit of its own";
  EXPECT_GE(field<std::span<const std::string_view>>(*record, "process.oom.levels").size(), 2u);
}

TEST_P(OomOnKernel, it_is_told_whatever_signals_are_asked_for) {
  const LimitedCgroup cgroup;
  if (!cgroup.made()) GTEST_SKIP() << "no memory cgroup can be made";
  auto rig = make_rig({.signals = {"USR1"}});
  const pid_t pid = child([&] { return eat_memory_in(cgroup.inner); });
  wait_for(pid);
  rig.drain();
  EXPECT_TRUE(record_of(rig, "process.oom", pid));
}

TEST_P(OomOnKernel, a_kill_by_the_kernel_for_another_reason_is_none) {
  auto rig = make_rig();
  const pid_t outer = child([] {
    if (::unshare(CLONE_NEWPID)) return kNotPossible;
    return WEXITSTATUS(wait_for(child([] {
      child([] { return ::pause(); });  // dies with its namespace
      ::usleep(20'000);
      return 0;
    })));
  });
  ASSERT_EQ(WEXITSTATUS(wait_for(outer)), 0);
  rig.drain();
  const auto killed = facts<SignalSent>(rig, [](const SignalSent& fact) {
    return fact.signal == SIGKILL && fact.by == SignalClass::kernel;
  });
  ASSERT_FALSE(killed.empty());
  for (const auto& kill : killed) EXPECT_FALSE(record_of(rig, "process.oom", kill.target.pid));
}

}  // namespace
}  // namespace tapio::process
