// SPDX-License-Identifier: Apache-2.0
#include "evaluate/story.hpp"
#include "oom_rule.hpp"

namespace tapio::oom {

extern const RuleDescriptor descriptor;
const RuleDescriptor descriptor{
    .name = "oom",
    .summary = "Why the kernel ran out of memory, and whom it killed for it.",
    .needs = facts_of<OomKilled, OomReported, ProcessExited, Lost, Detected, CgroupConsumers>,
    .make = []() -> std::unique_ptr<Rule> { return std::make_unique<OomRule>(); },
};

}  // namespace tapio::oom
