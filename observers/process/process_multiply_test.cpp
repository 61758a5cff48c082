// SPDX-License-Identifier: Apache-2.0
// What becomes of the kernel side's word that processes multiply.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "collected.hpp"
#include "process_detectors.hpp"

namespace tapio::process {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

constexpr std::uint64_t kCgroup = 42;

class Multiplying : public testing::Test {
 protected:
  void alarm(MonotonicTime time, std::uint64_t cgroup = kCgroup) {
    detectors.on_fact(Multiplied{.time = time,
                                 .evidence = {1, 7},
                                 .cgroup_id = cgroup,
                                 .process = {500, 5000},
                                 .parent = {499, 4990},
                                 .name = "bomb",
                                 .births = 90,
                                 .living = 64,
                                 .deepest = 7},
                      out);
  }
  // Each forks two, as the observer sees it.
  void see_a_bomb(MonotonicTime time) {
    for (std::uint32_t pid = 2; pid < 200; ++pid)
      detectors.on_fact(ProcessStarted{.time = time,
                                       .evidence = {1, pid},
                                       .process = {pid, pid},
                                       .parent = {pid / 2, pid / 2},
                                       .cgroup_id = kCgroup,
                                       .name = "bomb"},
                        out);
  }
  [[nodiscard]] std::vector<Detected> found() const {
    std::vector<Detected> list;
    for (const Fact& fact : out.facts)
      if (const auto* one = std::get_if<Detected>(&fact)) list.push_back(*one);
    return list;
  }

  Collected out;
  Detectors detectors{Config{}};
};

TEST_F(Multiplying, is_found_by_the_kernels_word_alone_after_a_second) {
  alarm(10s);
  detectors.on_tick(10s + 900ms, out);
  EXPECT_THAT(found(), IsEmpty());
  detectors.on_tick(11s, out);
  ASSERT_THAT(found(), SizeIs(1));
  const Detected bomb = found()[0];
  EXPECT_EQ(bomb.what, Detection::fork_bomb);
  EXPECT_EQ(bomb.severity, Severity::critical);
  EXPECT_EQ(bomb.process, (ProcessId{500, 5000}));
  EXPECT_EQ(bomb.other, (ProcessId{499, 4990}));
  EXPECT_EQ(bomb.cgroup_id, kCgroup);
  EXPECT_EQ(bomb.count, 90u);
  EXPECT_THAT(out.text("summary"), HasSubstr("90 began in their control group"));
  EXPECT_THAT(out.text("summary"), HasSubstr("counted in the kernel"));
}

TEST_F(Multiplying, what_the_forks_themselves_tell_better_is_told_once) {
  alarm(10s);
  see_a_bomb(10s);
  detectors.on_tick(12s, out);
  ASSERT_THAT(found(), SizeIs(1));
  EXPECT_THAT(out.text("summary"), HasSubstr("generations deep"));
  alarm(14s);
  detectors.on_tick(16s, out);
  EXPECT_THAT(found(), SizeIs(1)) << "the same bomb, in the next window";
}

TEST_F(Multiplying, is_told_again_after_a_minute_and_apart_for_each_cgroup) {
  for (MonotonicTime now = 10s; now < 80s; now += 5s) {
    alarm(now);
    detectors.on_tick(now + 2s, out);
  }
  EXPECT_THAT(found(), SizeIs(2));
  alarm(80s, kCgroup + 1);
  detectors.on_tick(82s, out);
  EXPECT_THAT(found(), SizeIs(3));
}

}  // namespace
}  // namespace tapio::process
