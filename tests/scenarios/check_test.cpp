// SPDX-License-Identifier: Apache-2.0
#include "check.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tapio {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr std::string_view kAnswer = R"json([{
  "id":"1-2","time":"2026-11-21T02:03:04.000000005Z",
  "title":"nginx (pid 812) was killed with SIGKILL by sh (pid 640)","entity":"nginx (pid 812)",
  "cause":{"kind":"process","entity":"sh (pid 640)","detail":"sh (pid 640) sent SIGKILL"},
  "confidence":0.98,"chain":["sshd (pid 1) started sh (pid 640)"],"evidence":["1-0","1-1"]}])json";

Expectation right() {
  return {.pid = 812,
          .name = "nginx",
          .kind = "process",
          .cause = 640,
          .cause_name = "sh",
          .says = {"was killed with SIGKILL", "sshd (pid 1) started"},
          .says_not = {"SIGTERM"},
          .recorded = {"***"},
          .nowhere = {"hunter"},
          .least_sure = 0.95};
}

std::vector<std::string> mistakes_in(const Expectation& expected, std::string_view json = kAnswer) {
  const auto stories = read_stories(json);
  EXPECT_TRUE(stories) << stories.error().what;
  return mistakes(expected, {.json = std::string(json),
                             .stories = stories.value_or(std::vector<Told>()),
                             .records = R"({"name":"process.exec","id":"1-0","secret":"***"})"});
}

TEST(Check, finds_no_mistake_in_the_right_answer) {
  EXPECT_THAT(mistakes_in(right()), IsEmpty());
}

TEST(Check, says_what_was_expected_and_what_was_told) {
  auto other = right();
  other.kind = "timer";
  other.cause = 641;
  EXPECT_THAT(mistakes_in(other),
              ElementsAre("cause.kind: expected \"timer\", actually \"process\"",
                          "pid of cause.entity: expected \"641\", actually \"640\""));
}

TEST(Check, every_part_of_an_expectation_can_fail) {
  const auto fails = [](auto change) {
    auto expected = right();
    change(expected);
    return mistakes_in(expected).size() == 1;
  };
  EXPECT_TRUE(fails([](auto& e) { e.name = "apache"; }));
  EXPECT_TRUE(fails([](auto& e) { e.cause_name = "bash"; }));
  EXPECT_TRUE(fails([](auto& e) { e.cause = 0; }));
  EXPECT_TRUE(fails([](auto& e) { e.says = {"SIGHUP"}; }));
  EXPECT_TRUE(fails([](auto& e) { e.says_not = {"SIGKILL"}; }));
  EXPECT_TRUE(fails([](auto& e) { e.recorded = {"SIGKILL"}; }));
  EXPECT_TRUE(fails([](auto& e) { e.nowhere = {"1-1"}; })) << "outside of a story's texts too";
  EXPECT_TRUE(fails([](auto& e) { e.nowhere = {"secret"}; })) << "in records too";
  EXPECT_TRUE(fails([](auto& e) { e.least_sure = 0.99; }));
  EXPECT_TRUE(fails([](auto& e) { e.most_sure = 0.5; }));
}

TEST(Check, a_story_that_is_missing_or_told_twice_is_wrong) {
  EXPECT_THAT(mistakes_in(right(), "[]"),
              ElementsAre("stories about pid 812: expected 1, actually 0"));
  const auto one = kAnswer.substr(1, kAnswer.size() - 2);
  EXPECT_THAT(mistakes_in(right(), "[" + std::string(one) + "," + std::string(one) + "]"),
              ElementsAre("stories about pid 812: expected 1, actually 2"));
}

TEST(Check, only_stories_with_the_title_in_question_count) {
  const auto one = std::string(kAnswer.substr(1, kAnswer.size() - 2));
  auto other = one;
  other.replace(other.find("was killed"), 10, "crashed 3x");
  auto expected = right();
  expected.title = "was killed";
  EXPECT_THAT(mistakes_in(expected, "[" + other + "," + one + "]"), IsEmpty());
  EXPECT_THAT(mistakes_in(expected, "[" + other + "]"),
              ElementsAre("stories about pid 812: expected 1, actually 0"));
}

TEST(Check, a_story_where_none_belongs_is_wrong) {
  EXPECT_THAT(mistakes_in({.pid = 812}), ElementsAre(AllOf(HasSubstr("expected 0, actually 1"))));
  EXPECT_THAT(mistakes_in({.pid = 813}), IsEmpty());
}

TEST(Check, an_answer_that_breaks_the_contract_is_refused) {
  EXPECT_FALSE(read_stories(""));
  EXPECT_FALSE(read_stories("{}"));
  EXPECT_FALSE(read_stories("[{}]"));
  EXPECT_FALSE(read_stories("[1]"));
  auto without = std::string(kAnswer);
  without.replace(without.find("confidence"), 10, "certainty_");
  EXPECT_FALSE(read_stories(without));
  EXPECT_THAT(*read_stories("[]"), IsEmpty());
}

TEST(Check, entities_are_taken_apart_from_behind) {
  EXPECT_EQ(named("nginx (pid 812)").pid, 812);
  EXPECT_EQ(named("nginx (pid 812)").name, "nginx");
  EXPECT_EQ(named("a (pid 1) (pid 2)").name, "a (pid 1)");
  EXPECT_EQ(named("a (pid 1) (pid 2)").pid, 2);
  for (const auto* text :
       {"", "kernel", "terminal (Ctrl-C)", "a (pid x)", "a (pid )", "a (pid 1"}) {
    EXPECT_EQ(named(text).pid, 0) << text;
    EXPECT_EQ(named(text).name, text);
  }
}

}  // namespace
}  // namespace tapio
