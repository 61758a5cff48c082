// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>

#include "incident.hpp"

namespace tapio::killed_by_kernel {

extern const RuleDescriptor descriptor;

namespace {

using namespace std::chrono_literals;
using testing::Contains;
using testing::Each;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

constexpr const RuleDescriptor* kRules[] = {&descriptor};

class KilledByKernel : public IncidentInEngine {
 protected:
  KilledByKernel() : IncidentInEngine(kRules) {}
};

TEST_F(KilledByKernel, a_fault_is_told_with_its_reason) {
  auto fault = shot(kT - 1ms, {}, kNginx, SIGBUS);
  fault.by = SignalClass::kernel_fault;
  fault.code = BUS_ADRERR;
  hand(fault);
  die(kNginx, SIGBUS);
  const auto story = only();
  EXPECT_EQ(story.cause.kind, "fault");
  EXPECT_THAT(story.title, HasSubstr("such as a file that was cut short"));
  EXPECT_EQ(story.severity, Severity::warning);
  EXPECT_EQ(story.rule, "killed_by_kernel");
}

TEST_F(KilledByKernel, limits_and_seccomp_are_told) {
  hand(by_kernel(kT - 1ms, kNginx, SIGXCPU));
  die(kNginx, SIGXCPU);
  hand(shot(kT - 1ms, kSshd, kSshd, SIGXFSZ));  // as the kernel has it
  die(kSshd, SIGXFSZ);
  die(kBash, SIGSYS);
  settle();
  ASSERT_EQ(told.size(), 3u);
  EXPECT_THAT(told[0].title, HasSubstr("RLIMIT_CPU"));
  EXPECT_THAT(told[1].title, HasSubstr("RLIMIT_FSIZE"));
  EXPECT_THAT(told[2].title, HasSubstr("seccomp"));
  for (const auto& story : told) EXPECT_EQ(story.severity, Severity::warning);
}

TEST_F(KilledByKernel, a_terminal_and_a_parent_that_ends_are_told_as_no_fault) {
  hand(by_kernel(kT - 1ms, kNginx, SIGINT));
  die(kNginx, SIGINT);
  leave(kBash, 0, kT - 2ms);
  hand(shot(kT - 1ms, kBash, kSshd, SIGKILL));
  die(kSshd, SIGKILL);
  settle();
  ASSERT_EQ(told.size(), 2u);
  EXPECT_THAT(told[0].title, HasSubstr("terminal (Ctrl-C)"));
  EXPECT_EQ(told[1].title,
            "sshd (pid 640) was killed with SIGKILL because bash (pid 700), whose end it had tied "
            "its own to, ended (PR_SET_PDEATHSIG)");
  for (const auto& story : told) EXPECT_EQ(story.severity, Severity::info);
}

TEST_F(KilledByKernel, a_sigkill_without_a_reason_says_what_it_may_have_been) {
  hand(by_kernel(kT - 1ms, kNginx, SIGKILL));
  die(kNginx, SIGKILL);
  const auto story = only();
  EXPECT_THAT(story.cause.detail, HasSubstr("cgroup.kill"));
  EXPECT_LT(story.confidence, 0.7);
  EXPECT_THAT(story.missing, Contains(HasSubstr("memory of its cgroup is not measured")));
}

TEST_F(KilledByKernel, it_is_told_what_was_waited_for_before) {
  world.node_pressed = {{.time = kT - 1s, .memory = Pressure{.some = 60}}};
  hand(by_kernel(kT - 1ms, kNginx, SIGKILL));
  die(kNginx, SIGKILL);
  EXPECT_EQ(only().chain.at(0),
            "on the node tasks waited for memory 60 % of the last 10 s (PSI, 1 s before)");
}

TEST_F(KilledByKernel, memory_that_is_measured_is_not_missing) {
  world.points = {{.time = kT - 1s, .usage = 1, .max = 2}};
  hand(by_kernel(kT - 1ms, kNginx, SIGKILL));
  die(kNginx, SIGKILL);
  EXPECT_THAT(only().missing, Each(Not(HasSubstr("memory"))));
}

TEST_F(KilledByKernel, a_namespace_that_ends_by_itself_is_no_fault) {
  start({50, 50}, kInit, "inner-init", 600s, 77, 1);
  start({51, 51}, {50, 50}, "worker", 601s, 77, 2);
  leave({50, 50}, 0, kT - 2ms);
  hand(by_kernel(kT - 1ms, {51, 51}, SIGKILL));
  die({51, 51}, SIGKILL);
  const auto story = only();
  EXPECT_THAT(story.title, HasSubstr("the first process of its pid namespace, ended"));
  EXPECT_EQ(story.severity, Severity::info);
}

TEST_F(KilledByKernel, a_closed_pipe_is_told_only_of_a_main_process) {
  hand(shot(kT - 1ms, kNginx, kNginx, SIGPIPE));
  die(kNginx, SIGPIPE);
  settle();
  EXPECT_THAT(told, IsEmpty());

  start({50, 50}, kInit, "inner-init", 600s, 77, 1);
  hand(shot(kT - 1ms, {50, 50}, {50, 50}, SIGPIPE));
  die({50, 50}, SIGPIPE);
  const auto story = only(kT + 3s);
  EXPECT_THAT(story.title, HasSubstr("it wrote to a closed pipe or socket"));
  EXPECT_EQ(story.severity, Severity::info);
}

TEST_F(KilledByKernel, what_processes_do_and_the_oom_killer_are_left_to_others) {
  hand(shot(kT - 1ms, kBash, kNginx, SIGKILL));
  die(kNginx, SIGKILL);
  hand(OomKilled{.time = kT - 1ms, .evidence = {1, 1}, .victim = kSshd, .name = "sshd"});
  hand(by_kernel(kT - 1ms, kSshd, SIGKILL));
  die(kSshd, SIGKILL);
  leave(kBash, 137);
  settle();
  EXPECT_THAT(told, IsEmpty());
}

}  // namespace
}  // namespace tapio::killed_by_kernel
