// SPDX-License-Identifier: Apache-2.0
#include "crash_loop_rule.hpp"
#include "evaluate/story.hpp"

namespace tapio::crash_loop {

extern const RuleDescriptor descriptor;
const RuleDescriptor descriptor{
    .name = "crash_loop",
    .summary = "Which program ends again and again, how, and who starts it again.",
    .needs = facts_of<ProcessStarted, ProcessExecuted, ProcessExited, Detected>,
    .make = []() -> std::unique_ptr<Rule> { return std::make_unique<CrashLoopRule>(); },
};

}  // namespace tapio::crash_loop
