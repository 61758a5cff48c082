// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>

#include "child.hpp"
#include "scenario.hpp"

namespace tapio::killed_by_kernel {
namespace {

using Ready = Stage::Ready;

void limit(int resource, rlim_t soft, rlim_t hard) {
  const rlimit wanted{.rlim_cur = soft, .rlim_max = hard};
  ::setrlimit(static_cast<__rlimit_resource>(resource), &wanted);
}

// Runs it to its end, by `signal`.
Result<Expectation> ends_by(Stage& stage, int signal, const Stage::Act& act, Expectation expected) {
  TRY(stage.incident());
  expected.pid = TRY(stage.start("victim", act)).pid;
  expected.name = "victim";
  TRY(stage.must_be_killed(expected.pid, signal));
  if (expected.kind == "fault") expected.cause = expected.pid;
  return expected;
}

Result<Expectation> file_size(Stage& stage) {
  return ends_by(stage, SIGXFSZ,
                 [](const Ready& ready) {
                   limit(RLIMIT_FSIZE, 0, 0);
                   ready({});
                   char name[] = "/tmp/tapio_scenario.XXXXXX";
                   const int file = ::mkstemp(name);
                   ::unlink(name);
                   return ::write(file, "x", 1) == 1 ? 1 : 2;
                 },
                 {.kind = "kernel", .says = {"RLIMIT_FSIZE"}, .least_sure = 0.85});
}

Result<Expectation> cpu_time(Stage& stage) {
  return ends_by(stage, SIGXCPU,
                 [](const Ready& ready) {
                   limit(RLIMIT_CPU, 1, RLIM_INFINITY);
                   ready({});
                   for (volatile bool going = true; going;) continue;
                   return 1;
                 },
                 {.kind = "kernel", .says = {"RLIMIT_CPU"}, .least_sure = 0.9});
}

// SECCOMP_MODE_STRICT kills with SIGKILL; a filter that says so, with SIGSYS (seccomp(2)).
Result<Expectation> seccomp(Stage& stage) {
  return ends_by(stage, SIGSYS,
                 [](const Ready& ready) {
                   sock_filter kill = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS);
                   const sock_fprog program{.len = 1, .filter = &kill};
                   ready({});
                   ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
                   ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
                   return ::getpid() > 0 ? 1 : 2;
                 },
                 {.kind = "kernel", .says = {"seccomp"}, .least_sure = 0.9});
}

// The access is what the scenario wants, so no sanitizer may stop it.
[[gnu::noinline]] __attribute__((no_sanitize("address", "undefined"))) void touch(
    volatile char* page) {
  *page = 1;
}

Result<Expectation> cut_file(Stage& stage) {
  return ends_by(stage, SIGBUS,
                 [](const Ready& ready) {
                   char name[] = "/tmp/tapio_scenario.XXXXXX";
                   const int file = ::mkstemp(name);
                   ::unlink(name);
                   void* page = ::mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
                   ready({});
                   touch(static_cast<volatile char*>(page));  // the file is empty
                   return 1;
                 },
                 {.kind = "fault", .says = {"crashed with SIGBUS", "a file that was cut short"}});
}

// Ends when its parent does, by its own wish.
Result<Expectation> with_its_parent(Stage& stage) {
  auto go = TRY(Pipe::open());
  const auto parent = TRY(stage.start("parent", [&](const Ready& ready) {
    const Pipe orders = *Pipe::open();
    const pid_t child = ::fork();
    if (child == 0) {
      ::prctl(PR_SET_NAME, "victim");
      ::prctl(PR_SET_PDEATHSIG, SIGTERM);
      const bool told = ::write(orders.writer.get(), "x", 1) == 1;
      if (!told) return 1;
      sleep_until_killed();
    }
    char byte = 0;
    if (::read(orders.reader.get(), &byte, 1) != 1) return 1;
    ready({child});
    return ::read(go.reader.get(), &byte, 1) == 1 ? 0 : 1;
  }));
  TRY(stage.incident());
  if (::write(go.writer.get(), "", 1) != 1) return from_errno(errno, "write to a pipe");
  TRY(stage.must_exit(parent.pid, 0));
  return Expectation{.pid = parent.reported[0],
                     .name = "victim",
                     .kind = "process",
                     .cause = parent.pid,
                     .says = {"PR_SET_PDEATHSIG"}};
}

constexpr Scenario kScenarios[] = {
    {"file_too_large", "A process writes beyond its RLIMIT_FSIZE.", file_size},
    {"cpu_time_used_up", "A process computes beyond its RLIMIT_CPU.", cpu_time},
    {"seccomp", "A process makes a system call that its seccomp filter forbids.", seccomp},
    {"file_cut_short", "A process touches a mapped file where it has no bytes.", cut_file},
    {"parent_death", "A process has asked to end with its parent.", with_its_parent},
};

}  // namespace

extern std::span<const Scenario> scenarios();
std::span<const Scenario> scenarios() {
  return kScenarios;
}

}  // namespace tapio::killed_by_kernel
