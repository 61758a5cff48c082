// SPDX-License-Identifier: Apache-2.0
#include "agent/governor.hpp"

#include <gmock/gmock.h>

namespace tapio::agent {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;

constexpr std::uint64_t kMiB = 1 << 20;

class GovernorTest : public testing::Test {
 protected:
  // Seconds of the same; the steps that were taken.
  std::vector<std::string> pass(unsigned seconds, Governor::Usage usage) {
    std::vector<std::string> steps;
    for (; seconds > 0; --seconds) {
      usage.time = now += 1s;
      if (const auto change = governor.on_second(usage))
        steps.push_back(std::string(step_name(change->after)) += " " + std::string(change->why));
    }
    return steps;
  }
  static Governor::Usage busy(double cpu, bool bulk = true, bool normal = true) {
    return {.memory = 10 * kMiB, .cpu = cpu, .bulk = bulk, .normal = normal};
  }

  MonotonicTime now = 100s;
  Governor governor{{.memory = {100 * kMiB}, .cpu = 20}};
};

TEST_F(GovernorTest, within_the_budget_nothing_is_done) {
  EXPECT_THAT(pass(1000, busy(0.2)), ElementsAre());
  EXPECT_EQ(governor.step(), Step::full);
}

TEST_F(GovernorTest, without_a_budget_nothing_is_too_much) {
  governor.configure({});
  EXPECT_FALSE(governor.has_budget());
  EXPECT_THAT(pass(100, {.memory = ~0ull, .cpu = 64, .bulk = true}), ElementsAre());
}

TEST_F(GovernorTest, a_short_burst_is_let_pass) {
  for (int i = 0; i < 10; ++i) {
    EXPECT_THAT(pass(2, busy(3)), ElementsAre());
    EXPECT_THAT(pass(1, busy(0.1)), ElementsAre());
  }
}

TEST_F(GovernorTest, it_goes_step_by_step_bulk_before_normal_and_no_further) {
  EXPECT_THAT(pass(30, busy(0.3)),
              ElementsAre("bulk_sampled cpu", "bulk_counted cpu", "bulk_off cpu",
                          "normal_sampled cpu", "normal_counted cpu", "normal_off cpu"));
  EXPECT_EQ(governor.step(), Step::normal_off);
}

TEST_F(GovernorTest, memory_counts_as_cpu_does) {
  EXPECT_THAT(pass(3, {.memory = 101 * kMiB, .bulk = true}), ElementsAre("bulk_sampled memory"));
}

TEST_F(GovernorTest, steps_that_would_spare_nothing_are_passed_over) {
  EXPECT_THAT(pass(3, busy(0.3, false, true)), ElementsAre("normal_sampled cpu"));
  EXPECT_THAT(pass(30, busy(0.3, false, false)), ElementsAre());
}

TEST_F(GovernorTest, it_recovers_by_itself_when_all_has_been_well_for_a_while) {
  pass(6, busy(0.3));
  EXPECT_EQ(governor.step(), Step::bulk_counted);
  EXPECT_THAT(pass(300, busy(0.15)), ElementsAre()) << "within, but not well within";
  EXPECT_THAT(pass(29, busy(0.1)), ElementsAre());
  EXPECT_THAT(pass(1, busy(0.1)), ElementsAre("bulk_sampled recovered"));
  EXPECT_THAT(pass(30, busy(0.1)), ElementsAre("full recovered"));
  EXPECT_THAT(pass(300, busy(0.1)), ElementsAre());
}

TEST_F(GovernorTest, it_waits_longer_each_time_that_it_went_back_too_early) {
  pass(3, busy(0.3));
  unsigned waited = 30;
  for (int i = 0; i < 6; ++i) {
    SCOPED_TRACE(waited);
    EXPECT_THAT(pass(waited - 1, busy(0.1)), ElementsAre());
    EXPECT_THAT(pass(1, busy(0.1)), ElementsAre("full recovered"));
    EXPECT_THAT(pass(3, busy(0.3)), ElementsAre("bulk_sampled cpu"));
    waited = std::min(waited * 2, 600u);
  }
  EXPECT_THAT(pass(600, busy(0.1)), ElementsAre("full recovered"));
  pass(1000, busy(0.1));
  pass(3, busy(0.3));
  EXPECT_THAT(pass(30, busy(0.1)), ElementsAre("full recovered")) << "that is long ago";
}

TEST_F(GovernorTest, every_step_says_what_is_not_seen) {
  for (int step = 1; step <= std::to_underlying(Step::normal_off); ++step) {
    EXPECT_NE(spared_by(static_cast<Step>(step)), "");
    EXPECT_NE(step_name(static_cast<Step>(step)), "full");
  }
  EXPECT_EQ(spared_by(Step::full), "");
}

}  // namespace
}  // namespace tapio::agent
