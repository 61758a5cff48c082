// SPDX-License-Identifier: Apache-2.0
#include "evaluate/engine.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <limits>

#include "empty_world.hpp"
#include "evaluate/words.hpp"

namespace tapio {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;

// Tells a story for each exit at once, and one for each time.
class Chatty final : public Rule {
 public:
  void on_fact(const Fact& fact, const World&, Tell& tell) override {
    tell.push_back({.time = std::get<ProcessExited>(fact).time,
                    .title = "fact",
                    .entity = {},
                    .cause = {},
                    .chain = {},
                    .evidence = {}});
  }
  void on_time(MonotonicTime now, const World&, Tell& tell) override {
    tell.push_back(
        {.time = now, .title = "time", .entity = {}, .cause = {}, .chain = {}, .evidence = {}});
  }
};

constexpr RuleDescriptor kChatty{
    "chatty", "", facts_of<ProcessExited>,
    []() -> std::unique_ptr<Rule> { return std::make_unique<Chatty>(); }};
constexpr const RuleDescriptor* kRules[] = {&kChatty};

class Engine : public testing::Test {
 protected:
  Stories stories{kRules,
                  {.told =
                       [this](const Story& story) {
                         titles.push_back(story.title);
                         return RecordId{1, titles.size()};
                       },
                   .suppressed = [this](const Lost& lost) { gaps.push_back(lost); }}};
  std::vector<std::string> titles;
  std::vector<Lost> gaps;
  EmptyWorld world;

  void exit_at(MonotonicTime time) {
    ProcessExited fact;
    fact.time = time;
    stories.on_fact(fact, world);
  }
};

TEST_F(Engine, a_rule_gets_only_the_facts_it_needs) {
  EXPECT_EQ(stories.needs(), facts_of<ProcessExited>);
  stories.on_fact(ProcessStarted{}, world);
  EXPECT_EQ(stories.count(), 0u);
  exit_at(1s);
  stories.on_time(2s, world);
  EXPECT_THAT(titles, ElementsAre("fact", "time"));
}

TEST_F(Engine, a_story_bears_the_name_of_its_rule) {
  exit_at(1s);
  EXPECT_EQ(stories.since(0s)[0]->story.rule, "chatty");
}

TEST_F(Engine, stories_are_found_by_when_they_happened_with_their_ids) {
  for (int i = 1; i <= 4; ++i) exit_at(i * 1s);
  exit_at(2s);  // told late
  const auto found = stories.since(3s);
  ASSERT_EQ(found.size(), 2u);
  EXPECT_EQ(found[0]->id, (RecordId{1, 3}));
  EXPECT_EQ(found[1]->story.time, 4s);
  EXPECT_EQ(stories.since(0s).size(), 5u);
  EXPECT_TRUE(stories.since(5s).empty());
}

TEST_F(Engine, beyond_the_rate_stories_are_counted_and_reported_as_a_gap) {
  stories.on_time(10s, world);
  for (int i = 0; i < 199; ++i) exit_at(10s);
  EXPECT_EQ(stories.stats().told, 50u);
  EXPECT_EQ(stories.stats().suppressed, 150u);
  EXPECT_TRUE(gaps.empty());

  stories.on_time(11s, world);

  ASSERT_EQ(gaps.size(), 1u);
  EXPECT_EQ(gaps[0].count, 150u);
  EXPECT_EQ(gaps[0].from, 10s);
  EXPECT_EQ(gaps[0].to, 11s);
  EXPECT_EQ(stories.stats().told, 51u) << "a new second, a new share";
  stories.on_time(12s, world);
  EXPECT_EQ(gaps.size(), 1u);
}

TEST_F(Engine, the_oldest_is_forgotten_and_counted) {
  for (int i = 0; i < 1500; ++i) stories.on_time(i * 1s, world);
  EXPECT_EQ(stories.count(), Stories::kMaxStories);
  EXPECT_EQ(stories.stats().told, 1500u);
  EXPECT_EQ(stories.stats().forgotten, 500u);
  EXPECT_EQ(stories.since(0s).front()->story.time, 500s);
}

Story hostile() {
  return {.time = 1s,
          .title = "a\"\n\x1b[31m\xff (pid 1) was killed",
          .entity = "a\n",
          .cause = {.kind = "process", .entity = "b\x7f", .detail = "c\\"},
          .confidence = 0.97,
          .chain = {"first\r", "second"},
          .evidence = {{0x10, 1}, {0x10, 2}}};
}

TEST(StoryJson, is_one_valid_line_whatever_the_names_are) {
  std::string out;
  append_story_json(out, {0x10, 9}, hostile(), {.wall_ahead = 1h});
  EXPECT_EQ(out.find('\n'), out.npos);
  EXPECT_EQ(out.find('\x1b'), out.npos);
  EXPECT_THAT(out, HasSubstr(R"({"id":")" + RecordId{0x10, 9}.text() +
                             R"(","time":"1970-01-01T01:00:01.000000000Z","title":"a\")"));
  EXPECT_THAT(out, HasSubstr(R"("cause":{"kind":"process","entity":"b)"));
  EXPECT_THAT(out, HasSubstr(R"(,"confidence":0.97,"chain":["first)"));
  EXPECT_THAT(out, HasSubstr(R"(,"second"],"evidence":[")" + RecordId{0x10, 1}.text() + R"(",")" +
                             RecordId{0x10, 2}.text() + R"("],"rule":)"));
}

TEST(StoryJson, tells_what_the_engine_added_behind_what_was_there_before) {
  auto story = hostile();
  story.rule = "killed";
  story.severity = Severity::info;
  story.process = {812, 1};
  story.changes = {"c\n"};
  story.impact = {"i", "j"};
  story.revision = 2;
  std::string out;
  append_story_json(out, {0x10, 9}, story, {});
  EXPECT_THAT(out, testing::EndsWith(
                       R"(],"rule":"killed","severity":"info","process.pid":812,"changes":["c\n"],)"
                       R"("impact":["i","j"],"missing":[],"revision":2})"));
}

TEST(StoryJson, a_confidence_that_is_no_number_is_none) {
  auto story = hostile();
  story.confidence = std::numeric_limits<double>::quiet_NaN();
  std::string out;
  append_story_json(out, {}, story, {});
  EXPECT_THAT(out, HasSubstr(R"("confidence":0,)"));
}

TEST(StoryText, escapes_names_and_shows_the_steps_in_order) {
  std::string out;
  append_story_text(out, {0x10, 9}, hostile(), {}, 13s);
  EXPECT_EQ(out.find('\x1b'), out.npos);
  EXPECT_EQ(out.find('\r'), out.npos);
  EXPECT_EQ(std::ranges::count(out, '\n'), 7) << out;
  EXPECT_THAT(out, HasSubstr("  when       1970-01-01T00:00:01.000000000Z, 12 s ago\n"));
  EXPECT_THAT(out, HasSubstr("  then       second\n"));
  EXPECT_THAT(out, HasSubstr("  confidence almost certain (0.97)\n"));
  EXPECT_LT(out.find("  because"), out.find("  then"));
}

TEST(StoryText, shows_what_changed_what_else_happened_and_what_is_missing_in_line) {
  auto story = hostile();
  story.changes = {"memory.max went down, 2 min before", "and 3 more"};
  story.impact = {"started again as pid 9"};
  story.missing = {"watching since\r"};
  std::string out;
  append_story_text(out, {0x10, 9}, story, {}, 13s);
  EXPECT_THAT(out, HasSubstr("  then       second\n"
                             "  changed    memory.max went down, 2 min before\n"
                             "  changed    and 3 more\n"
                             "  also       started again as pid 9\n"
                             "  missing    watching since\\x0d\n"
                             "  confidence "));
}

TEST(StoryRecord, keeps_its_text_in_the_arena) {
  Arena arena;
  Record record;
  {
    auto story = hostile();
    story.process = {812, 1};
    story.cgroup_id = 7;
    story.changes = {"c"};
    story.revision = 3;
    record = story_record(story, arena);
  }
  EXPECT_EQ(record.schema, &kStorySchema);
  EXPECT_EQ(record.schema->fields.size(), 14u);
  EXPECT_EQ(record.origin.time, 1s);
  EXPECT_EQ(record.origin.pid, 812u);
  EXPECT_EQ(record.origin.cgroup_id, 7u);
  EXPECT_EQ(std::get<std::string_view>(record.values[9]), "warning");
  EXPECT_THAT(std::get<std::span<const std::string_view>>(record.values[10]), ElementsAre("c"));
  EXPECT_EQ(std::get<std::uint64_t>(record.values[13]), 3u);
  EXPECT_EQ(std::get<std::string_view>(record.values[2]), "process");
  EXPECT_EQ(std::get<double>(record.values[5]), 0.97);
  EXPECT_THAT(std::get<std::span<const std::string_view>>(record.values[6]),
              ElementsAre("first\r", "second"));
  EXPECT_THAT(std::get<std::span<const std::string_view>>(record.values[7]),
              ElementsAre(RecordId{0x10, 1}.text(), RecordId{0x10, 2}.text()));
}

TEST(Words, a_time_has_the_unit_that_people_would_use) {
  EXPECT_EQ(in_words(0ns), "0 ns");
  EXPECT_EQ(in_words(850ns), "850 ns");
  EXPECT_EQ(in_words(12us), "12 us");
  EXPECT_EQ(in_words(200us), "0.2 ms");
  EXPECT_EQ(in_words(3ms), "3 ms");
  EXPECT_EQ(in_words(1500ms), "1.5 s");
  EXPECT_EQ(in_words(90s), "90 s");
  EXPECT_EQ(in_words(3h), "3 h");
  EXPECT_EQ(in_words(24h * 5), "5 days");
  EXPECT_EQ(in_words(-5s), "-5 s");
}

}  // namespace
}  // namespace tapio
