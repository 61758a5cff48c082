// SPDX-License-Identifier: Apache-2.0
#include "agent/select.hpp"

#include <gtest/gtest.h>

namespace tapio::agent {
namespace {

const Descriptor kProcesses{.name = "processes", .provides = facts_of<ProcessStarted>};
const Descriptor kOther{.name = "other", .needs = facts_of<ProcessStarted>};
const Descriptor* const kBoth[] = {&kProcesses, &kOther};
const RuleDescriptor kRule{.name = "rule", .needs = facts_of<ProcessStarted>};
const RuleDescriptor* const kRules[] = {&kRule};

TEST(Select, what_is_enabled_is_loaded_in_full) {
  for (const auto& selected : select(kBoth, [](const Descriptor&) { return true; }, kRules))
    EXPECT_EQ(selected.as, Selected::As::full);
}

TEST(Select, what_somebody_needs_is_loaded_as_a_provider_and_says_for_whom) {
  const auto list = select(kBoth, [](const Descriptor& d) { return &d == &kOther; }, kRules);
  EXPECT_EQ(list[0].as, Selected::As::provider);
  EXPECT_EQ(list[0].reason, "no records; its facts are needed by rule, other");
}

TEST(Select, what_nobody_needs_stays_off) {
  const auto list = select(kBoth, [](const Descriptor&) { return false; }, {});
  EXPECT_EQ(list[0].as, Selected::As::off);
  EXPECT_EQ(list[1].as, Selected::As::off);
}

}  // namespace
}  // namespace tapio::agent
