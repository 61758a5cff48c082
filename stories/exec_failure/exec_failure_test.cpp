// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "enrich/world.hpp"
#include "exec_failure_rule.hpp"

namespace tapio::exec_failure {
namespace {

using namespace std::chrono_literals;
using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

constexpr ProcessId kInit{1, 1}, kActor{640, 20}, kTarget{700, 30};

class ExecFailure : public testing::Test {
 protected:
  ExecFailure() {
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
  ExecFailureRule rule;
  Rule::Tell told;
  const RecordId because[2] = {{1, 3}, {1, 4}};
  Detected detected{.time = 1000s,
                    .evidence = {1, 5},
                    .what = Detection::exec_failure_loop,
                    .severity = Severity::warning,
                    .process = kActor,
                    .process_name = "actor",
                    .count = 200,
                    .window = 2s,
                    .because = because};
};

TEST_F(ExecFailure, names_the_file_the_error_and_who_tries) {
  detected.executable = "/opt/missing";
  detected.detail = "No such file or directory";
  detected.other = kTarget;
  hand(detected);
  ASSERT_THAT(told, SizeIs(1));
  EXPECT_EQ(told[0].title,
            "actor (pid 640) tried 200 times in 2 s to start /opt/missing: No such file or "
            "directory");
  EXPECT_EQ(told[0].entity, "actor (pid 640)");
  EXPECT_EQ(told[0].cause.kind, "self");
  EXPECT_DOUBLE_EQ(told[0].confidence, 0.95);
  EXPECT_THAT(told[0].chain, Contains("systemd (pid 1) started actor (pid 640)"));
  EXPECT_THAT(told[0].chain, Contains(HasSubstr("the latest with pid 700")));
}

TEST_F(ExecFailure, is_less_sure_where_only_exit_statuses_say_so) {
  detected.detail = "exit status 127";
  hand(detected);
  ASSERT_THAT(told, SizeIs(1));
  EXPECT_THAT(told[0].title, HasSubstr("to start a program: exit status 127"));
  EXPECT_DOUBLE_EQ(told[0].confidence, 0.7);
}

TEST_F(ExecFailure, other_detections_are_not_told) {
  detected.what = Detection::fork_bomb;
  hand(detected);
  EXPECT_THAT(told, IsEmpty());
}

}  // namespace
}  // namespace tapio::exec_failure
