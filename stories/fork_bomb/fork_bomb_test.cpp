// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "enrich/world.hpp"
#include "fork_bomb_rule.hpp"

namespace tapio::fork_bomb {
namespace {

using namespace std::chrono_literals;
using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

constexpr ProcessId kInit{1, 1}, kActor{640, 20}, kTarget{700, 30};

class ForkBomb : public testing::Test {
 protected:
  ForkBomb() {
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
  ForkBombRule rule;
  Rule::Tell told;
  const RecordId because[2] = {{1, 3}, {1, 4}};
  Detected detected{.time = 1000s,
                    .evidence = {1, 5},
                    .what = Detection::fork_bomb,
                    .severity = Severity::warning,
                    .process = kActor,
                    .process_name = "actor",
                    .count = 200,
                    .window = 2s,
                    .because = because};
};

TEST_F(ForkBomb, is_told_of_the_eldest_with_who_started_it) {
  detected.severity = Severity::critical;
  detected.executable = "/bin/bomb";
  hand(detected);
  ASSERT_THAT(told, SizeIs(1));
  EXPECT_EQ(told[0].title, "actor (pid 640) multiplied to 200 processes in 2 s: fork bomb");
  EXPECT_EQ(told[0].severity, Severity::critical);
  EXPECT_EQ(told[0].cause.kind, "self");
  EXPECT_THAT(told[0].chain, Contains("systemd (pid 1) started actor (pid 640)"));
  EXPECT_THAT(told[0].chain, Contains(HasSubstr("it runs /bin/bomb")));
  EXPECT_THAT(told[0].evidence, SizeIs(3));
}

TEST_F(ForkBomb, an_eldest_that_has_ended_is_said_to_have) {
  world.apply(ProcessExited{.time = 999s, .process = kActor});
  hand(detected);
  ASSERT_THAT(told, SizeIs(1));
  EXPECT_THAT(told[0].chain, Contains(HasSubstr("itself has ended")));
}

TEST_F(ForkBomb, is_told_again_only_when_it_has_doubled) {
  for (const std::uint64_t count : {200u, 300u, 400u, 500u}) {
    detected.count = count;
    hand(detected);
  }
  EXPECT_THAT(told, SizeIs(2));
}

TEST_F(ForkBomb, other_detections_are_not_told) {
  detected.what = Detection::crash_loop;
  hand(detected);
  EXPECT_THAT(told, IsEmpty());
}

}  // namespace
}  // namespace tapio::fork_bomb
