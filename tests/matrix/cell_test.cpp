// SPDX-License-Identifier: Apache-2.0
#include "cell.hpp"

#include <gtest/gtest.h>

#include "figures.hpp"

namespace tapio::matrix {
namespace {

using capture::Candidate;
using capture::Feature;
using capture::Hook;
using capture::Kernel;
using capture::Need;

constexpr Candidate kFirst[] = {{"a_typed", Feature::tp_btf}, {"a_raw", Feature::raw_tp}};
constexpr Candidate kSecond[] = {{"b_typed", Feature::tp_btf}, {"shared", Feature::raw_tp}};
constexpr Candidate kThird[] = {{"shared", Feature::raw_tp}};
constexpr Hook kHooks[] = {{"a", Need::required, capture::Trigger::canary, kFirst},
                           {"b", Need::optional, capture::Trigger::canary, kSecond},
                           {"c", Need::optional, capture::Trigger::passive, kThird}};
const Kernel kAble{.features = Feature::tp_btf | Feature::raw_tp};

std::vector<std::string> chosen(const Kernel& kernel) {
  std::vector<std::string> list;
  for (const auto& choice : capture::choose(kHooks, kernel))
    list.emplace_back(choice.program ? choice.program : "");
  return list;
}
using Chosen = std::vector<std::string>;

TEST(Plan, each_rank_forces_that_candidate_and_the_last_where_there_are_fewer) {
  EXPECT_EQ(most_candidates(kHooks), 2u);
  EXPECT_EQ(chosen(Plan(kHooks, 0, kAble).kernel()), (Chosen{"a_typed", "b_typed", "shared"}));
  EXPECT_EQ(chosen(Plan(kHooks, 1, kAble).kernel()), (Chosen{"a_raw", "shared", "shared"}));
}

TEST(Plan, a_hook_whose_program_lacks_a_feature_takes_what_it_likes) {
  const Kernel old{.features = Feature::raw_tp};
  EXPECT_EQ(chosen(Plan(kHooks, 0, old).kernel()), (Chosen{"a_raw", "shared", "shared"}));
}

TEST(Plan, a_program_that_one_hook_passes_over_is_not_what_a_free_one_takes) {
  constexpr Candidate kOne[] = {{"shared", Feature::tp_btf}, {"own", Feature::raw_tp}};
  constexpr Candidate kOther[] = {{"shared", Feature::tp_btf}, {"function", Feature::fentry}};
  const Hook hooks[] = {{"one", Need::required, capture::Trigger::passive, kOne},
                        {"other", Need::optional, capture::Trigger::passive, kOther}};
  const Kernel without_functions{.features = Feature::tp_btf | Feature::raw_tp};
  const Plan plan(hooks, 1, without_functions);
  const auto choices = choose(hooks, plan.kernel());
  EXPECT_STREQ(choices[0].program, "own");
  EXPECT_EQ(choices[1].program, nullptr);
}

TEST(Plan, after_a_refusal_the_hook_is_free_and_the_others_stay_forced) {
  Plan plan(kHooks, 0, kAble);
  Kernel after = plan.kernel();
  EXPECT_FALSE(plan.free_refused(after));
  after.refused["a_typed"] = "R1 is bad";
  ASSERT_TRUE(plan.free_refused(after));
  EXPECT_EQ(plan.forced(0), nullptr);
  EXPECT_EQ(chosen(plan.kernel()), (Chosen{"a_raw", "b_typed", "shared"}));
}

TEST(Plan, what_was_only_left_out_is_not_refused) {
  const auto kernel = Plan(kHooks, 0, kAble).kernel();
  EXPECT_FALSE(why_not(kFirst[1], kernel));
}

TEST(Cell, what_lacks_a_feature_says_which_and_why) {
  const Kernel old{.features = Feature::raw_tp, .missing = {{"tp_btf", "load: Invalid argument"}}};
  const auto why = why_not(kFirst[0], old);
  ASSERT_TRUE(why);
  EXPECT_EQ(why->state, State::unsupported);
  EXPECT_EQ(why->reason, "needs tp_btf (load: Invalid argument)");
}

TEST(Cell, a_refusal_keeps_the_lines_that_say_something) {
  EXPECT_EQ(last_words("load: 0: (bf) r1 = r0\nR1 invalid mem access 'scalar'\n"
                       "processed 40 insns (limit 1000000) max_states_per_insn 0\n: Permission "
                       "denied"),
            "R1 invalid mem access 'scalar': Permission denied");
  EXPECT_EQ(last_words("attach exit_raw: No such file"), "attach exit_raw: No such file");
  EXPECT_EQ(last_words(""), "");
}

TEST(Cell, is_one_line_of_json_without_figures_that_are_not_known) {
  const Place place{"5.10.0", "x86_64", "process", "ring", true};
  Cell cell{.hook = &kHooks[0], .candidate = &kFirst[0]};
  cell.state = State::refused, cell.reason = "attach a_typed: a \"b\"\n";
  EXPECT_EQ(to_json(place, cell),
            R"({"matrix":1,"release":"5.10.0","arch":"x86_64","emulated":true,"channel":"ring",)"
            R"("observer":"process","hook":"a","program":"a_typed","required":true,)"
            R"("state":"refused","triggered":false,"loaded":true,)"
            R"("reason":"attach a_typed: a \"b\""})");
  cell = {.hook = &kHooks[0], .candidate = &kFirst[0], .state = State::fired};
  cell.verified = 12, cell.runs = 2, cell.run_ns = 7;
  EXPECT_TRUE(to_json(place, cell).ends_with(R"("loaded":true,"verified":12,"ns":3})"));
}

TEST(Figures, the_last_number_that_the_verifier_tells_is_taken) {
  EXPECT_EQ(processed_in("processed 12 insns\nprocessed 1465 insns (limit 1000000)"), 1465u);
  EXPECT_FALSE(processed_in("processed many insns"));
  EXPECT_FALSE(processed_in("processed 99999999999999999999 insns"));
  EXPECT_FALSE(processed_in(""));
}

}  // namespace
}  // namespace tapio::matrix
