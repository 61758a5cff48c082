// SPDX-License-Identifier: Apache-2.0
#include "evaluate/story.hpp"
#include "exec_failure_rule.hpp"

namespace tapio::exec_failure {

extern const RuleDescriptor descriptor;
const RuleDescriptor descriptor{
    .name = "exec_failure",
    .summary = "Who tries again and again to start what cannot be started.",
    .needs = facts_of<ProcessStarted, ProcessExecuted, ProcessExited, ExecFailed, Detected>,
    .make = []() -> std::unique_ptr<Rule> { return std::make_unique<ExecFailureRule>(); },
};

}  // namespace tapio::exec_failure
