// SPDX-License-Identifier: Apache-2.0
// Real events for the hooks that no canary sings for. Each runs in a process made for it.
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <fstream>

#include "capture/kernel.hpp"
#include "trigger.hpp"

namespace tapio::process {

namespace {

constexpr std::size_t kOomLimit = 16 << 20, kOomWants = 64 << 20;
constexpr uid_t kNobody = 65534;

template <typename Body>
int in_child(const Body& body) {
  const pid_t pid = ::fork();
  if (pid == 0) ::_exit(body());
  int status = -1;
  if (pid > 0) ::waitpid(pid, &status, 0);
  return status;
}

Status change_credentials() {
  if (::setresuid(kNobody, kNobody, kNobody)) return from_errno(errno, "setresuid");
  return {};
}

Status trace_a_child() {
  const pid_t pid = ::fork();
  if (pid == 0) return ::pause(), Status{};
  Status traced;
  if (::ptrace(PTRACE_SEIZE, pid, nullptr, nullptr)) traced = from_errno(errno, "PTRACE_SEIZE");
  ::kill(pid, SIGKILL);
  ::waitpid(pid, nullptr, 0);
  return traced;
}

Status be_traced() {
  const int status = in_child([] { return ::ptrace(PTRACE_TRACEME, 0, nullptr, nullptr) ? 1 : 0; });
  return status ? fail(Fault::broken, fmt::format("PTRACE_TRACEME: status {}", status)) : Status{};
}

// Each forks the next and waits for it: generation after generation, all alive.
int be_a_line_of(int processes) {
  return processes == 0 ? 0 : in_child([=] { return be_a_line_of(processes - 1); });
}

Status multiply() {
  constexpr int kMore = 80;  // than detect.fork_bomb.processes and TAPIO_PROCESS_DEEP together
  return be_a_line_of(kMore) ? fail(Fault::broken, "not all could fork") : Status{};
}

Status fail_to_execute() {
  char* const arguments[] = {nullptr};
  ::execv("/proc/self/status", arguments);  // a file that nobody may execute
  return {};
}

bool write_to(const std::string& file, std::string_view text) {
  std::ofstream out(file);
  out << text << std::flush;
  return out.good();
}

[[noreturn]] void use_up_memory(const std::string& cgroup) {
  if (!write_to(cgroup + "/cgroup.procs", "0")) ::_exit(1);
  void* memory = ::mmap(nullptr, kOomWants, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
  ::_exit(memory == MAP_FAILED ? 2 : 3);
}

Status run_out_of_memory() {
  const auto hierarchy = capture::find_hierarchy(capture::find_btf(""));
  const bool v2 = hierarchy.name == "v2";
  const auto cgroup = fmt::format("{}/tapio-matrix-{}", hierarchy.mount, ::getpid());
  if (hierarchy.mount.empty() || ::mkdir(cgroup.c_str(), 0755))
    return fail(Fault::unsupported, "no cgroup can be made: " + std::string(std::strerror(errno)));
  const auto limit = cgroup + (v2 ? "/memory.max" : "/memory.limit_in_bytes");
  const bool limited = write_to(limit, std::to_string(kOomLimit));
  if (limited && v2) write_to(cgroup + "/memory.swap.max", "0");
  int status = 0;
  if (limited) status = in_child([&] { return use_up_memory(cgroup), 0; });
  ::rmdir(cgroup.c_str());
  if (!limited) return fail(Fault::unsupported, "no memory limit: " + limit);
  if (WIFSIGNALED(status)) return {};
  return fail(Fault::unsupported, "nobody was killed for memory");
}

constexpr matrix::Trigger kTriggers[] = {
    {"oom", run_out_of_memory}, {"credentials", change_credentials}, {"trace", trace_a_child},
    {"traceme", be_traced},     {"exec_failed", fail_to_execute},    {"multiply", multiply},
};

}  // namespace

extern std::span<const matrix::Trigger> triggers();
std::span<const matrix::Trigger> triggers() {
  return kTriggers;
}

}  // namespace tapio::process
