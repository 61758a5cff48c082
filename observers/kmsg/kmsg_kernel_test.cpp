// SPDX-License-Identifier: Apache-2.0
// Real OOM kills in a cgroup of the test's own, found in the live kernel's log.
#include <gmock/gmock.h>

#include <csignal>
#include <thread>

#include "kmsg_observer.hpp"
#include "rig.hpp"
#include "scenarios/memory_cgroup.hpp"

namespace tapio::kmsg {
namespace {

using namespace std::chrono_literals;

constexpr std::uint64_t kMiB = 1 << 20, kLimit = 16 * kMiB;
constexpr auto kPatience = 20s;  // an emulated machine is slow

class KmsgOnKernel : public testing::Test {
 protected:
  void SetUp() override {
    if (::geteuid() != 0) GTEST_SKIP() << "makes cgroups and reads the kernel's log: needs root";
    observer = std::make_unique<KmsgObserver>(Config{}, Rig::must(open_log(live_outside())),
                                              monotonic_now(),
                                              static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE)));
  }
  // A process in this cgroup that takes more than there is; its pid. It has been killed.
  static pid_t hog(const MemoryCgroup& cgroup) {
    const pid_t pid = child([&] {
      if (!cgroup.join()) return 1;
      take_memory(2 * kLimit, kMiB, 0ms);
      return 0;
    });
    const int status = wait_for(pid);
    EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) << status;
    return pid;
  }
  // Others may be killed on this machine meanwhile.
  std::optional<OomReported> report_about(pid_t pid) {
    for (const auto until = monotonic_now() + kPatience; monotonic_now() < until;) {
      observer->on_tick(monotonic_now(), out);
      for (const Fact& fact : out.facts)
        if (const auto* report = std::get_if<OomReported>(&fact);
            report && report->victim_pid == static_cast<std::uint32_t>(pid))
          return *report;
      out.facts.clear();
      std::this_thread::sleep_for(50ms);
    }
    return {};
  }

  std::unique_ptr<KmsgObserver> observer;
  Collected out;
};

TEST_F(KmsgOnKernel, a_kill_in_a_cgroup_is_found_with_the_limit_that_was_hit) {
  auto outer = Rig::must(MemoryCgroup::make("tapio-kmsg"));
  Rig::must(outer.limit(kLimit));
  const auto inner = Rig::must(MemoryCgroup::make("in,pid=1", &outer));
  // The log's own clock runs beside ours: what is read after this tick counts as written after it.
  const auto before = monotonic_now();
  observer->on_tick(before, out);
  const pid_t pid = hog(inner);
  const auto after = monotonic_now();

  const auto report = report_about(pid);

  ASSERT_TRUE(report.has_value());
  EXPECT_TRUE(report->in_cgroup);
  EXPECT_GE(report->time, before);
  EXPECT_LE(report->time, after + kPatience);
  EXPECT_GT(report->anon_rss, kLimit / 2);
  EXPECT_EQ(report->victim_uid, 0u);
  // The kernel logs 10 reports in 5 s at most; then there is but the line about the victim.
  if (report->constraint.empty()) GTEST_SKIP() << "others used up the kernel's rate of reports";
  EXPECT_EQ(report->constraint, "CONSTRAINT_MEMCG");
  EXPECT_EQ(report->oom_memcg, outer.path());
  EXPECT_EQ(report->task_memcg, inner.path());
  EXPECT_EQ(report->chosen_pid, static_cast<std::uint32_t>(pid));
  EXPECT_EQ(report->invoker, report->victim_name);
  EXPECT_TRUE(report->usage_logged);
  EXPECT_EQ(report->limit, kLimit);
  EXPECT_GT(report->usage, kLimit / 2);
  ASSERT_EQ(report->tasks_seen, 1u);
  EXPECT_EQ(report->tasks[0].pid, static_cast<std::uint32_t>(pid));
}

TEST_F(KmsgOnKernel, what_user_space_writes_there_is_not_believed) {
  const Fd device(::open("/dev/kmsg", O_WRONLY | O_CLOEXEC));
  ASSERT_TRUE(device);
  // As the kernel's own, which it is not allowed to be.
  const std::string fake = fmt::format(
      "<3>Memory cgroup out of memory: Killed process {} (fake) total-vm:1kB, anon-rss:1kB, "
      "file-rss:1kB, shmem-rss:1kB, UID:0 pgtables:1kB oom_score_adj:0\n",
      ::getpid());
  ASSERT_EQ(::write(device.get(), fake.data(), fake.size()), static_cast<ssize_t>(fake.size()));
  auto cgroup = Rig::must(MemoryCgroup::make("tapio-kmsg"));
  Rig::must(cgroup.limit(kLimit));
  const pid_t pid = hog(cgroup);

  bool believed = false;
  std::optional<OomReported> real;
  for (const auto until = monotonic_now() + kPatience; !real && monotonic_now() < until;) {
    out.facts.clear();
    observer->on_tick(monotonic_now(), out);
    for (const Fact& fact : out.facts)
      if (const auto* report = std::get_if<OomReported>(&fact)) {
        believed |= report->victim_name == "fake";
        if (report->victim_pid == static_cast<std::uint32_t>(pid)) real = *report;
      }
  }
  EXPECT_TRUE(real.has_value());
  EXPECT_FALSE(believed);
}

}  // namespace
}  // namespace tapio::kmsg
