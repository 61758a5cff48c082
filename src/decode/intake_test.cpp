// SPDX-License-Identifier: Apache-2.0
#include "decode/intake.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <fstream>
#include <string>

namespace tapio {
namespace {

// The first CPU that this test may run on.
std::uint32_t any_cpu() {
  cpu_set_t allowed;
  CPU_ZERO(&allowed);
  EXPECT_EQ(::sched_getaffinity(0, sizeof allowed, &allowed), 0);
  std::uint32_t cpu = 0;
  while (cpu < Intake::kMaxCpus && !CPU_ISSET(cpu, &allowed)) cpu++;
  return cpu;
}

// What the kernel says of the drain thread; "": there is none.
std::string cpus_of_drain_thread() {
  for (const auto& task : std::filesystem::directory_iterator("/proc/self/task")) {
    std::string line, name;
    std::ifstream status(task.path() / "status");
    while (std::getline(status, line)) {
      if (line.starts_with("Name:")) name = line.substr(line.find('\t') + 1);
      if (line.starts_with("Cpus_allowed_list:") && name == "tapio-drain")
        return line.substr(line.find('\t') + 1);
    }
  }
  return "";
}

TEST(Intake, its_thread_runs_on_the_cpus_that_it_is_given) {
  const std::array cpus{any_cpu()};
  Intake intake;
  ASSERT_TRUE(intake.start(cpus));
  EXPECT_EQ(cpus_of_drain_thread(), std::to_string(cpus[0]));
}

TEST(Intake, a_cpu_that_is_not_there_is_an_error_that_names_it) {
  const std::array beyond{Intake::kMaxCpus};
  Intake first;
  const auto refused = first.start(beyond);
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().what, testing::HasSubstr("no CPU 1024"));

  const std::array absent{Intake::kMaxCpus - 1};
  Intake second;
  const auto failed = second.start(absent);
  ASSERT_FALSE(failed);
  EXPECT_THAT(failed.error().what, testing::HasSubstr("run on CPU 1023"));
}

}  // namespace
}  // namespace tapio
