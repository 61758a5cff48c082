// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "enrich/world.hpp"
#include "signal_storm_rule.hpp"

namespace tapio::signal_storm {
namespace {

using namespace std::chrono_literals;
using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

constexpr ProcessId kInit{1, 1}, kActor{640, 20}, kTarget{700, 30};

class SignalStorm : public testing::Test {
 protected:
  SignalStorm() {
    start(kInit, {}, "systemd");
    start(kActor, kInit, "actor");
    start(kTarget, kInit, "target");
  }
  void start(ProcessId id, ProcessId parent, std::string_view name) {
    world.apply(ProcessStarted{.time = 1s, .process = id, .parent = parent, .name = name});
    world.apply(ProcessExecuted{.time = 1s, .process = id, .name = name});
  }
  void hand(const Fact& fact) { rule.on_fact(fact, world, told); }

  KnownWorld world;
  SignalStormRule rule;
  Rule::Tell told;
  const RecordId because[2] = {{1, 3}, {1, 4}};
  Detected detected{.time = 1000s,
                    .evidence = {1, 5},
                    .what = Detection::signal_storm,
                    .severity = Severity::warning,
                    .process = kActor,
                    .process_name = "actor",
                    .count = 200,
                    .window = 2s,
                    .because = because};
};

TEST_F(SignalStorm, at_one_process_is_told_of_that_one) {
  detected.other = kTarget;
  detected.other_name = "target";
  detected.detail = "SIGUSR1";
  hand(detected);
  ASSERT_THAT(told, SizeIs(1));
  EXPECT_EQ(told[0].title,
            "actor (pid 640) sent at least 200 signals in 2 s to target (pid 700): signal storm");
  EXPECT_EQ(told[0].entity, "target (pid 700)");
  EXPECT_EQ(told[0].process, kTarget);
  EXPECT_EQ(told[0].cause.kind, "process");
  EXPECT_EQ(told[0].cause.entity, "actor (pid 640)");
  EXPECT_THAT(told[0].chain, Contains("systemd (pid 1) started actor (pid 640)"));
  EXPECT_THAT(told[0].chain, Contains(HasSubstr("most of them SIGUSR1")));
}

TEST_F(SignalStorm, at_many_is_told_of_the_sender) {
  hand(detected);
  ASSERT_THAT(told, SizeIs(1));
  EXPECT_EQ(told[0].entity, "actor (pid 640)");
  EXPECT_THAT(told[0].title, HasSubstr("to many processes"));
}

TEST_F(SignalStorm, other_detections_are_not_told) {
  detected.what = Detection::crash_loop;
  hand(detected);
  EXPECT_THAT(told, IsEmpty());
}

}  // namespace
}  // namespace tapio::signal_storm
