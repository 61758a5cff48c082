// SPDX-License-Identifier: Apache-2.0
#include "agent/costs.hpp"

#include <gmock/gmock.h>

namespace tapio::agent {
namespace {

using namespace std::chrono_literals;
using testing::DoubleNear;

constexpr Costs::Key kExec{"process", "exec_btf"};

class CostsTest : public testing::Test {
 protected:
  static Costs::Readings at(MonotonicTime time, std::uint64_t events, std::uint64_t runs,
                            std::chrono::nanoseconds took) {
    return {.time = time,
            .programs = {{.observer = kExec.first,
                          .program = kExec.second,
                          .events = events,
                          .ran = {.runs = runs, .time = took}}}};
  }
  // With that much for the pipeline, and of that so much for the observer.
  static Costs::Readings user(MonotonicTime time, std::chrono::nanoseconds pipeline,
                              std::chrono::nanoseconds observer) {
    return {.time = time, .observers = {{"process", observer}}, .pipeline = pipeline};
  }
  [[nodiscard]] const Costs::Program& exec() const { return costs.programs().at(kExec); }

  Costs costs{0s};
};

TEST_F(CostsTest, a_window_is_a_second_of_ten) {
  EXPECT_FALSE(costs.is_known());
  ASSERT_TRUE(costs.is_due(0s));
  costs.begin({.time = 0s});
  EXPECT_TRUE(costs.is_counting());
  EXPECT_FALSE(costs.is_due(999ms));
  ASSERT_TRUE(costs.is_due(1s));
  costs.end({.time = 1s});
  EXPECT_FALSE(costs.is_counting());
  EXPECT_TRUE(costs.is_known());
  EXPECT_FALSE(costs.is_due(9s));
  EXPECT_TRUE(costs.is_due(10s));
}

TEST_F(CostsTest, where_little_happens_it_is_counted_longer) {
  costs.begin(at(0s, 0, 0, 0ns));
  EXPECT_FALSE(costs.may_end(at(1s, 99, 99, 1us)));
  EXPECT_TRUE(costs.may_end(at(1s, 100, 100, 1us)));
  EXPECT_TRUE(costs.may_end(at(8s, 1, 1, 1us)));
}

TEST_F(CostsTest, events_between_windows_cost_what_those_within_do) {
  costs.begin(at(9s, 9'000, 0, 0ns));
  costs.end(at(10s, 10'000, 1'000, 500us));
  EXPECT_EQ(exec().cost.spent, 5ms);  // 10,000 at 500 ns
  EXPECT_THAT(exec().cost.share, DoubleNear(0.0005, 1e-9));
  EXPECT_THAT(exec().ns_per_run, DoubleNear(500, 1e-9));
  EXPECT_THAT(exec().runs_per_second, DoubleNear(1'000, 1e-9));

  // A storm between windows is not missed, and a window with the old rate does not hide it.
  costs.begin(at(19s, 1'010'000, 1'000, 500us));
  costs.end(at(20s, 1'011'000, 2'000, 900us));
  EXPECT_EQ(exec().cost.spent, 5ms + 400us + 450ms);  // 1,000,000 more, taken for those of both
  EXPECT_THAT(costs.kernel_side("process").share, DoubleNear(0.04504, 1e-9));
  EXPECT_EQ(costs.kernel_side("dns").spent, 0ns);
}

TEST_F(CostsTest, a_window_with_few_events_speaks_with_all_before) {
  costs.begin(at(9s, 0, 0, 0ns));
  costs.end(at(10s, 1'000, 1'000, 1ms));
  costs.begin(at(19s, 2'000, 1'000, 1ms));
  costs.end(at(20s, 2'001, 1'001, 1ms + 50us));  // one that took long
  EXPECT_LT(exec().cost.spent - 1ms, 1'100us);   // of 1,001 events
  EXPECT_GT(exec().cost.spent - 1ms, 1'000us);

  costs.begin(at(29s, 3'001, 1'001, 1ms + 50us));
  costs.end(at(30s, 3'001, 1'001, 1ms + 50us));  // none
  EXPECT_GT(exec().cost.spent, 3ms);
}

TEST_F(CostsTest, long_ago_is_forgotten) {
  costs.begin(at(9s, 0, 0, 0ns));
  costs.end(at(10s, 1'000'000, 1'000'000, 1s));
  costs.begin(at(19s, 1'000'000, 1'000'000, 1s));
  costs.end(at(20s, 1'010'000, 1'010'000, 1s + 1ms));  // as many as are remembered, at 100 ns
  const auto before = exec().cost.spent;
  costs.begin(at(29s, 1'020'000, 1'010'000, 1s + 1ms));
  costs.end(at(30s, 1'020'000, 1'010'000, 1s + 1ms));
  EXPECT_EQ(exec().cost.spent - before, 5'500us);  // 10,000, half of them as long ago
}

TEST_F(CostsTest, runs_that_are_nobodys_business_are_told_by_time) {
  costs.begin(at(9s, 10, 1'000, 1ms));
  costs.end(at(10s, 11, 11'000, 2ms));
  EXPECT_EQ(exec().cost.spent, 10ms);
  EXPECT_THAT(exec().runs_per_second, DoubleNear(10'000, 1e-9));
  EXPECT_THAT(exec().ns_per_run, DoubleNear(100, 1e-9));
}

TEST_F(CostsTest, any_two_readings_tell_what_programs_took_between_them) {
  EXPECT_EQ(costs.kernel_side(at(0s, 0, 0, 0ns), at(1s, 1'000, 0, 0ns)), 0ns) << "not known yet";
  costs.begin(at(9s, 9'000, 0, 0ns));
  costs.end(at(10s, 10'000, 1'000, 500us));
  EXPECT_EQ(costs.kernel_side(at(11s, 11'000, 0, 0ns), at(12s, 31'000, 0, 0ns)), 10ms);

  costs = Costs(0s);  // a filter of packets
  costs.begin(at(9s, 10, 1'000, 1ms));
  costs.end(at(10s, 11, 11'000, 3ms));
  EXPECT_EQ(costs.kernel_side(at(11s, 12, 0, 0ns), at(12s, 12, 0, 0ns)), 2ms);
}

TEST_F(CostsTest, a_kernel_that_does_not_count_is_told_from_a_quiet_one) {
  costs.begin(at(9s, 5, 0, 0ns));
  costs.end(at(10s, 5, 0, 0ns));
  EXPECT_FALSE(costs.is_blind());
  costs.begin(at(19s, 5, 0, 0ns));
  costs.end(at(20s, 50, 0, 0ns));
  EXPECT_TRUE(costs.is_blind());
  EXPECT_EQ(exec().cost.spent, 0ns);
  costs.begin(at(29s, 50, 0, 0ns));
  costs.end(at(30s, 60, 10, 1us));
  EXPECT_FALSE(costs.is_blind());
}

TEST_F(CostsTest, a_program_that_is_loaded_anew_begins_anew) {
  costs.begin(at(9s, 1'000, 1'000, 1ms));
  costs.end(at(10s, 2'000, 2'000, 2ms));
  costs.begin(at(19s, 300, 0, 0ns));
  costs.end(at(20s, 500, 200, 100us));
  EXPECT_EQ(exec().cost.spent, 2ms + 100us + 275us);  // 300 more, taken for those of both
}

TEST_F(CostsTest, an_observer_has_its_share_of_the_pipelines_time) {
  costs.begin(user(9s, 80ms, 0ms));
  costs.end(user(10s, 100ms, 5ms));  // a quarter of the window's 20 ms
  EXPECT_EQ(costs.user_side("process").spent, 25ms);
  EXPECT_THAT(costs.user_side("process").share, DoubleNear(0.0025, 1e-9));
  costs.begin(user(19s, 100ms, 5ms));
  costs.end(user(20s, 110ms, 35ms));  // it waited for a CPU: no more than there was
  EXPECT_EQ(costs.user_side("process").spent, 35ms);
  costs.begin(user(29s, 110ms, 35ms));
  costs.end(user(30s, 110ms, 35ms));
  EXPECT_EQ(costs.user_side("process").spent, 35ms);
  EXPECT_EQ(costs.user_side("dns").spent, 0ns);
}

}  // namespace
}  // namespace tapio::agent
