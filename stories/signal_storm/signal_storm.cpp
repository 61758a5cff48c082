// SPDX-License-Identifier: Apache-2.0
#include "evaluate/story.hpp"
#include "signal_storm_rule.hpp"

namespace tapio::signal_storm {

extern const RuleDescriptor descriptor;
const RuleDescriptor descriptor{
    .name = "signal_storm",
    .summary = "Who sends signals without end, and to whom.",
    .needs = facts_of<ProcessStarted, ProcessExecuted, ProcessExited, Detected>,
    .make = []() -> std::unique_ptr<Rule> { return std::make_unique<SignalStormRule>(); },
};

}  // namespace tapio::signal_storm
