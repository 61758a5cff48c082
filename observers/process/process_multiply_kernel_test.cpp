// SPDX-License-Identifier: Apache-2.0
// How processes multiply, as the kernel side counts: real forks in cgroups of their own.
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

#include "process_observer.hpp"
#include "rig.hpp"
#include "test_cgroup.hpp"

namespace tapio::process {

extern const Descriptor descriptor;

namespace {

constexpr std::uint32_t kMany = 24;  // living ones; emulators take long for more

Rig make_rig() {
  auto section = config::section<Config>();
  auto& config = section->as<Config>();
  config.rate_per_second = config.noise_rate_per_second = config.lifecycle_rate_per_second = 0;
  config.detect_fork_bomb_processes = kMany;
  config.ring = ByteSize{4 << 20};
  return Rig(descriptor, *section, {.self_tgid = 1});
}

std::vector<Multiplied> alarms_in(const Rig& rig, std::uint64_t cgroup_id) {
  std::vector<Multiplied> list;
  for (const Fact& fact : rig.out.facts)
    if (const auto* alarm = std::get_if<Multiplied>(&fact); alarm && alarm->cgroup_id == cgroup_id)
      list.push_back(*alarm);
  return list;
}

// Each forks the next, and lives until all those after it have ended.
int be_a_line_of(std::uint32_t processes) {
  if (processes == 0) return 0;
  const pid_t next = ::fork();
  if (next == 0) ::_exit(be_a_line_of(processes - 1));
  int status = 0;
  ::waitpid(next, &status, 0);
  return WEXITSTATUS(status);
}

// In a cgroup of its own; its id.
template <typename Body>
std::uint64_t run_in_cgroup(const std::string& name, const Body& body) {
  const TestCgroup cgroup(name);
  const pid_t pid = child([&] {
    cgroup.enter();
    return body();
  });
  EXPECT_EQ(WEXITSTATUS(wait_for(pid)), 0);
  return cgroup.id();
}

class MultiplyOnKernel : public OnEveryPath {};
INSTANTIATE_TEST_SUITE_P(Paths, MultiplyOnKernel, kEveryPath, path_name);

TEST_P(MultiplyOnKernel, forks_of_forks_that_live_are_told_once_with_how_many_and_how_deep) {
  auto rig = make_rig();
  const auto cgroup = run_in_cgroup("/line", [] { return be_a_line_of(2 * kMany); });
  rig.drain();
  const auto alarms = alarms_in(rig, cgroup);
  // Its forks may lie in two windows, where that is between enough of them.
  ASSERT_GE(alarms.size(), 1u);
  ASSERT_LE(alarms.size(), 2u);
  EXPECT_GE(alarms[0].living, kMany);
  EXPECT_GE(alarms[0].deepest, kMany);
  EXPECT_GE(alarms[0].births, alarms[0].living);
  EXPECT_NE(alarms[0].process.pid, alarms[0].parent.pid);
}

TEST_P(MultiplyOnKernel, many_children_of_one_parent_are_none_of_it) {
  auto rig = make_rig();
  const auto cgroup = run_in_cgroup("/workers", [] {
    for (std::uint32_t i = 0; i < 3 * kMany; ++i)
      if (::fork() == 0) {
        ::usleep(200'000);
        ::_exit(0);
      }
    while (::wait(nullptr) > 0) {
    }
    return 0;
  });
  rig.drain();
  EXPECT_TRUE(alarms_in(rig, cgroup).empty());
}

TEST_P(MultiplyOnKernel, who_executes_begins_anew_and_who_ends_does_not_count) {
  auto rig = make_rig();
  const auto shells = run_in_cgroup("/shells", [] {
    // A shell that starts a shell, and so on: each generation executes. $0 is the script itself.
    constexpr const char* kScript =
        "[ ${#DEEP} -gt 30 ] || { DEEP=x$DEEP; export DEEP; /bin/sh -c \"$0\" \"$0\"; }";
    ::execl("/bin/sh", "sh", "-c", kScript, kScript, nullptr);
    return 1;
  });
  const auto turns = run_in_cgroup("/turns", [] {
    for (std::uint32_t i = 0; i < 2 * kMany; ++i)
      if (be_a_line_of(6) != 0) return 1;  // deep enough, and over before the next
    return 0;
  });
  rig.drain();
  EXPECT_TRUE(alarms_in(rig, shells).empty());
  EXPECT_TRUE(alarms_in(rig, turns).empty());
}

}  // namespace
}  // namespace tapio::process
