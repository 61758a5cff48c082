// SPDX-License-Identifier: Apache-2.0
#include "evaluate/story.hpp"
#include "fork_bomb_rule.hpp"

namespace tapio::fork_bomb {

extern const RuleDescriptor descriptor;
const RuleDescriptor descriptor{
    .name = "fork_bomb",
    .summary = "Which process multiplies, and who started it.",
    .needs = facts_of<ProcessStarted, ProcessExecuted, ProcessExited, Detected>,
    .make = []() -> std::unique_ptr<Rule> { return std::make_unique<ForkBombRule>(); },
};

}  // namespace tapio::fork_bomb
