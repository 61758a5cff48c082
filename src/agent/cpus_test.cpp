// SPDX-License-Identifier: Apache-2.0
#include "agent/cpus.hpp"

#include <gmock/gmock.h>
#include <sched.h>

#include <array>
#include <thread>

namespace tapio::agent {
namespace {

cpu_set_t allowed() {
  cpu_set_t cpus;
  CPU_ZERO(&cpus);
  EXPECT_EQ(::sched_getaffinity(0, sizeof cpus, &cpus), 0);
  return cpus;
}

// The last CPU that this test may run on.
std::uint32_t any_cpu() {
  const cpu_set_t cpus = allowed();
  std::uint32_t cpu = kMaxCpus - 1;
  while (cpu > 0 && !CPU_ISSET(cpu, &cpus)) cpu--;
  return cpu;
}

TEST(Cpus, a_thread_and_those_that_it_makes_keep_to_them) {
  const std::array cpus{any_cpu()};
  const auto before = allowed();
  std::jthread([&] {
    ASSERT_TRUE(keep_to({}));
    const auto still = allowed();
    EXPECT_TRUE(CPU_EQUAL(&still, &before)) << "none: nothing changes";
    ASSERT_TRUE(keep_to(cpus));
    std::jthread([&] {
      const auto now = allowed();
      EXPECT_EQ(CPU_COUNT(&now), 1);
      EXPECT_TRUE(CPU_ISSET(cpus[0], &now));
    });
  });
}

TEST(Cpus, one_that_is_not_there_is_an_error_that_names_it) {
  const std::array beyond{kMaxCpus}, absent{kMaxCpus - 1};
  const auto refused = keep_to(beyond);
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().what, testing::HasSubstr("no CPU 1024"));
  const auto failed = keep_to(absent);
  ASSERT_FALSE(failed);
  EXPECT_THAT(failed.error().what, testing::HasSubstr("run on CPU 1023"));
}

}  // namespace
}  // namespace tapio::agent
