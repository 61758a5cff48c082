// SPDX-License-Identifier: Apache-2.0
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

#include "bench/workload.hpp"
#include "process.abi.h"

namespace tapio::process {

extern const Descriptor descriptor;

namespace {

constexpr int kProcesses = 300;
constexpr int kSignals = 5;       // that each sends to itself, and ignores
constexpr int kKilledOneIn = 10;  // the others run a program, and end by themselves

[[noreturn]] void live(bool is_killed) {
  ::signal(SIGUSR1, SIG_IGN);
  for (int i = 0; i < kSignals; ++i) ::kill(::getpid(), SIGUSR1);
  if (is_killed) ::kill(::getpid(), SIGKILL);
  ::execl("/bin/true", "true", "--a", "few", "arguments", nullptr);
  ::_exit(1);
}

void make() {
  for (int i = 0; i < kProcesses; ++i) {
    const pid_t pid = ::fork();
    if (pid == 0) live(i % kKilledOneIn == 0);
    ::waitpid(pid, nullptr, 0);
  }
}

constexpr bench::Workload::Part kParts[] = {{"fork", TAPIO_PROCESS_FORK},
                                            {"exec", TAPIO_PROCESS_EXEC},
                                            {"signal", TAPIO_PROCESS_SIGNAL},
                                            {"exit", TAPIO_PROCESS_EXIT}};

}  // namespace

extern const bench::Workload workload;
const bench::Workload workload{
    descriptor, "300 processes, 5 signals each, one in ten killed, others exec true", make, kParts};

}  // namespace tapio::process
