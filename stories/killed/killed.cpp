// SPDX-License-Identifier: Apache-2.0
#include <csignal>

#include "evaluate/ending.hpp"
#include "evaluate/pressure.hpp"

namespace tapio::killed {

namespace {

// Who writes to a pipe that nobody reads any more dies of it every day; and not every exit is about
// a signal.
bool is_ordinary(const Ending& end) {
  return end.by != By::process && (end.cause_signal == SIGPIPE || end.cause_signal == 0);
}

class Killed final : public Rule {
 public:
  void on_ending(const Ending& end, const World& world, Tell& tell) override {
    if (end.caught || is_ordinary(end)) return;
    switch (end.by) {
      case By::process:
      case By::self:
      case By::timer:
      case By::passed_on:
      case By::nobody:
      case By::unknown:
        tell.push_back(end.draft);
        if (end.by == By::process) add_pressure(tell.back(), world);
        break;
      case By::fault:
      case By::kernel:
      case By::terminal:
      case By::namespace_init:
      case By::parent_death:
      case By::oom:
        break;  // told by others
    }
  }
};

}  // namespace

extern const RuleDescriptor descriptor;
const RuleDescriptor descriptor{
    .name = "killed",
    .summary = "Who killed a process, and whose status 128+n is passed on.",
    .needs = kEndingFacts,
    .make = []() -> std::unique_ptr<Rule> { return std::make_unique<Killed>(); },
};

}  // namespace tapio::killed
