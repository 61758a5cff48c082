// SPDX-License-Identifier: Apache-2.0
#include "evaluate/story.hpp"
#include "killed_rule.hpp"

namespace tapio::killed {

extern const RuleDescriptor descriptor;
const RuleDescriptor descriptor{
    .name = "killed",
    .summary = "Who or what killed a process, and whose status 128+n is passed on.",
    .needs = facts_of<ProcessStarted, ProcessExecuted, ProcessExited, SignalSent, Lost>,
    .make = []() -> std::unique_ptr<Rule> { return std::make_unique<KilledRule>(); },
};

}  // namespace tapio::killed
