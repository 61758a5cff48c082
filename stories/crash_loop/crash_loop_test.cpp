// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>

#include "crash_loop_rule.hpp"
#include "enrich/world.hpp"

namespace tapio::crash_loop {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

constexpr ProcessId kInit{1, 1}, kBoss{640, 20};

class CrashLoop : public testing::Test {
 protected:
  CrashLoop() {
    start(kInit, {}, "systemd", 1s);
    start(kBoss, kInit, "boss", 2s);
  }
  void hand(const Fact& fact) {
    world.apply(fact);
    rule.on_fact(fact, world, told);
  }
  void start(ProcessId id, ProcessId parent, std::string_view name, MonotonicTime time) {
    hand(ProcessStarted{.time = time, .process = id, .parent = parent, .name = name});
    hand(ProcessExecuted{.time = time, .process = id, .name = name, .executable = name});
  }
  void die(std::uint32_t pid, MonotonicTime time, std::int32_t signal, std::int32_t code = 0) {
    const ProcessId app{pid, pid};
    start(app, kBoss, "app", time - 12ms);
    hand(ProcessExited{.time = time,
                       .evidence = {1, pid},
                       .process = app,
                       .parent = kBoss,
                       .code = code,
                       .signal = signal,
                       .name = "app"});
  }
  void detect(std::uint64_t count, std::span<const RecordId> because, std::string_view detail) {
    hand(Detected{.time = 1010s,
                  .evidence = {1, 500},
                  .what = Detection::crash_loop,
                  .severity = Severity::warning,
                  .process = {803, 803},
                  .process_name = "app",
                  .other = kBoss,
                  .other_name = "boss",
                  .count = count,
                  .window = 10s,
                  .executable = "/opt/app",
                  .detail = detail,
                  .because = because});
  }

  KnownWorld world;
  CrashLoopRule rule;
  Rule::Tell told;
  const RecordId because[3] = {{1, 801}, {1, 802}, {1, 803}};
};

TEST_F(CrashLoop, tells_what_was_waited_for_before) {
  world.apply(NodePressure{.time = 1009s, .cpu = Pressure{.some = 95}});
  die(803, 1010s, SIGSEGV);
  detect(3, because, "SIGSEGV");
  ASSERT_THAT(told, SizeIs(1));
  EXPECT_EQ(told[0].chain.at(0),
            "on the node tasks waited for a CPU 95 % of the last 10 s (PSI, 1 s before)");
}

TEST_F(CrashLoop, tells_how_it_died_each_time_and_who_starts_it_again) {
  die(801, 1000s, SIGSEGV);
  die(850, 1001s, SIGSEGV);  // of another loop
  die(802, 1005s, SIGABRT);
  die(803, 1010s, SIGSEGV);
  detect(3, because, "SIGSEGV");

  ASSERT_THAT(told, SizeIs(1));
  EXPECT_EQ(told[0].title, "app crashed 3 times in 10 s with SIGSEGV: crash loop");
  EXPECT_EQ(told[0].entity, "app (pid 803)");
  EXPECT_EQ(told[0].severity, Severity::warning);
  EXPECT_EQ(told[0].cause.kind, "fault");
  EXPECT_THAT(told[0].chain,
              ElementsAre("systemd (pid 1) › boss (pid 640) starts /opt/app",
                          "the first death: pid 801 with SIGSEGV 12 ms after its start",
                          "5 s later, pid 802 with SIGABRT 12 ms after its start",
                          "5 s later, pid 803 with SIGSEGV 12 ms after its start",
                          "boss (pid 640) starts it again each time, 3 times in 10 s so far"));
  EXPECT_THAT(told[0].evidence, SizeIs(4));
}

TEST_F(CrashLoop, an_exit_status_is_its_own_doing_and_a_kill_the_kernels) {
  detect(5, because, "exit status 3");
  const RecordId other[] = {{1, 900}};
  detect(3, other, "SIGKILL");
  ASSERT_THAT(told, SizeIs(2));
  EXPECT_EQ(told[0].title, "app failed 5 times in 10 s with exit status 3: crash loop");
  EXPECT_EQ(told[0].cause.kind, "self");
  EXPECT_EQ(told[1].cause.kind, "kernel");
}

TEST_F(CrashLoop, one_incident_is_one_story_until_it_has_doubled) {
  for (const std::uint64_t count : {3u, 4u, 5u, 6u, 11u}) detect(count, because, "SIGSEGV");
  EXPECT_THAT(told, SizeIs(2));
}

TEST_F(CrashLoop, other_detections_and_deaths_alone_are_no_story) {
  die(801, 1000s, SIGSEGV);
  hand(Detected{.what = Detection::kill_chain});
  EXPECT_THAT(told, IsEmpty());
}

}  // namespace
}  // namespace tapio::crash_loop
