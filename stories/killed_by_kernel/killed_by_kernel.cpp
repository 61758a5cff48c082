// SPDX-License-Identifier: Apache-2.0
#include <csignal>

#include "evaluate/ending.hpp"
#include "evaluate/pressure.hpp"

namespace tapio::killed_by_kernel {

namespace {

// `producer | head` ends so every day. A service or a container that does is down.
bool is_ordinary(const Ending& end) {
  return end.cause_signal == SIGPIPE && !end.main_process;
}

bool is_unexplained(const Ending& end) {
  return end.by == By::kernel && end.signal == SIGKILL;
}

class KilledByKernel final : public Rule {
 public:
  void on_ending(const Ending& end, const World& world, Tell& tell) override {
    if (end.caught || is_ordinary(end)) return;
    switch (end.by) {
      case By::fault:
      case By::kernel:
      case By::terminal:
      case By::namespace_init:
      case By::parent_death:
        tell.push_back(end.draft);
        add_pressure(tell.back(), world);
        if (is_unexplained(end) && world.memory(end.cgroup_id).empty())
          tell.back().missing.emplace_back(
              "the memory of its cgroup is not measured, so it is not known whether it ran short");
        break;
      case By::process:
      case By::self:
      case By::timer:
      case By::passed_on:
      case By::nobody:
      case By::unknown:
      case By::oom:
        break;  // told by others
    }
  }
};

}  // namespace

extern const RuleDescriptor descriptor;
const RuleDescriptor descriptor{
    .name = "killed_by_kernel",
    .summary = "Why the kernel ended a process: a fault, a limit, seccomp, its terminal.",
    .needs = kEndingFacts,
    .make = []() -> std::unique_ptr<Rule> { return std::make_unique<KilledByKernel>(); },
};

}  // namespace tapio::killed_by_kernel
