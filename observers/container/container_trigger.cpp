// SPDX-License-Identifier: Apache-2.0
// A cgroup that comes and goes, for the hooks that no canary sings for.
#include <sys/wait.h>

#include <csignal>

#include "test_cgroup.hpp"
#include "trigger.hpp"

namespace tapio::container {

namespace {

Status make_and_remove_a_cgroup() {
  const TestCgroup cgroup("");
  if (!cgroup.id()) return fail(Fault::unsupported, "no cgroup can be made");
  return {};
}

Status move_a_process() {
  const TestCgroup cgroup("");
  const pid_t child = ::fork();
  if (child == 0) ::pause();
  const bool moved = cgroup.write("cgroup.procs", std::to_string(child));
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  return moved ? Status{} : fail(Fault::unsupported, "no process can be moved");
}

constexpr matrix::Trigger kTriggers[] = {
    {"mkdir", make_and_remove_a_cgroup},
    {"rmdir", make_and_remove_a_cgroup},
    {"move", move_a_process},
};

}  // namespace

extern std::span<const matrix::Trigger> triggers();
std::span<const matrix::Trigger> triggers() {
  return kTriggers;
}

}  // namespace tapio::container
