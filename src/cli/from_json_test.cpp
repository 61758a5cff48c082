// SPDX-License-Identifier: Apache-2.0
#include "cli/from_json.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/fake_agent.hpp"
#include "record/gap.hpp"
#include "record/json.hpp"

namespace tapio::cli {
namespace {

using namespace std::literals;
using testing::HasSubstr;

constexpr std::array<const Schema*, 3> kSchemas = {&kStart, &kSignal, &kGap};

std::string json(const Record& record, const Clocks& clocks) {
  std::string out;
  append_json(out, record, clocks);
  return out;
}

// Written, read, and written again.
void expect_survives(const Record& record) {
  const Clocks clocks{.wall_ahead = 1'700'000'000s, .boottime_ahead = {}};
  const std::string written = json(record, clocks);
  const auto batch = record_from_json(written, kSchemas);
  ASSERT_TRUE(batch) << batch.error().what;
  EXPECT_EQ(json((*batch)->records.front(), (*batch)->clocks), written);
}

constexpr Context kWho{.process_id = "0011aabb-7-99",
                       .parent_pid = 3,
                       .process_name = "bash\x1b[2J\n\"",
                       .executable = "/bin/bäsh",
                       .place = {.cgroup_path = "/a\n/docker/ab",
                                 .container_id = "ab",
                                 .container_runtime = "docker",
                                 .pod_uid = "74c13223",
                                 .unit = "user@1.service",
                                 .user_unit = "a.service"}};

TEST(FromJson, gives_back_every_type_of_field) {
  const Origin origin{.time = 5ns,
                      .cgroup_id = ~0ull,
                      .pid = 7,
                      .tid = 8,
                      .event_class = TAPIO_CRITICAL,
                      .order = Order::late};
  Record record = kSignal(origin, -9, ~0ull, true, 1'500'000'001ns, 0.25, 77ns);
  record.id = {0x673e9a10, 42};
  record.context = &kWho;
  expect_survives(record);
}

TEST(FromJson, gives_back_lists_and_hostile_text) {
  Arena arena;
  const auto args = arena.list(3);
  args[0] = "\x01\x7f";
  args[1] = "\u202e";
  Record record = kStart(Origin{.pid = 7, .tid = 7}, 0u, "\0x"sv, args);
  expect_survives(record);
  record.values[2] = {};
  expect_survives(record);
}

TEST(FromJson, gives_back_a_gap) {
  expect_survives(kGap(Origin{}, "*"sv, "*"sv, "stream"sv, "slow_reader"sv, 1ns, 2ns, 3u));
}

TEST(FromJson, leaves_out_values_of_another_type) {
  const auto batch = record_from_json(
      R"({"name":"job.signal","time":7,"process.pid":4294967296,"signal.number":"9",
          "signal.lethal":1,"job.age":1e300,"job.due":"yesterday","new":[]})",
      kSchemas);
  ASSERT_TRUE(batch);
  const Record& record = (*batch)->records.front();
  EXPECT_EQ(record.origin.pid, 0u);
  EXPECT_EQ(record.origin.time, 0ns);
  for (const auto& value : record.values)
    EXPECT_TRUE(std::holds_alternative<std::monostate>(value));
}

TEST(FromJson, refuses_what_is_no_record_of_a_known_kind) {
  EXPECT_THAT(record_from_json(R"({"name":"\u001b[2J"})", kSchemas).error().what,
              HasSubstr(R"(unknown kind '\x1b[2J')"));
  EXPECT_FALSE(record_from_json("[]", kSchemas));
  EXPECT_FALSE(record_from_json("{", kSchemas));
}

TEST(Rfc3339, is_read_as_it_is_written) {
  EXPECT_EQ(parse_rfc3339("1970-01-01T00:00:00Z"), 0ns);
  EXPECT_EQ(parse_rfc3339("1970-01-02T00:00:01.5Z"), 24h + 1s + 500ms);
  for (const auto time : {0ns, 1ns, 1'700'000'000'123'456'789ns, -1ns})
    EXPECT_EQ(parse_rfc3339(rfc3339(time)), time);
}

TEST(Rfc3339, is_refused_when_it_is_not) {
  for (const auto text : {"", "Z", "2026-13-01T00:00:00Z", "2026-02-30T00:00:00Z",
                          "2026-01-01T24:00:00Z", "2026-01-01 00:00:00Z", "2026-01-01T00:00:00",
                          "2026-01-01T00:00:00.Z", "2026-01-01T00:00:00.0000000001Z",
                          "9999-01-01T00:00:00Z", "-026-01-01T00:00:00Z", "2026-01-01T00:00:00Zx"})
    EXPECT_FALSE(parse_rfc3339(text)) << text;
}

TEST(StoryFromJson, takes_the_object_and_the_record) {
  const Story story{.time = 1'700'000'000s,
                    .title = "a was killed\x1b",
                    .entity = "a",
                    .severity = Severity::critical,
                    .process = {7, 0},
                    .cause = {"process", "b", "kill"},
                    .confidence = 0.75,
                    .chain = {"one", "two"},
                    .evidence = {{1, 2}, {0xffffffff, 3}},
                    .rule = "killed",
                    .changes = {"c"},
                    .impact = {"i", "j"},
                    .missing = {"m"},
                    .revision = 2};
  const RecordId id{9, 10};
  std::string object, again;
  append_story_json(object, id, story, {});
  Arena arena;
  Record record = story_record(story, arena);
  record.id = id;
  for (const std::string& text : {object, json(record, {})}) {
    const ToldStory told = story_from_json(*serve::parse_json(text));
    again.clear();
    append_story_json(again, told.id, told.story, {});
    EXPECT_EQ(again, object);
  }
}

TEST(StoryFromJson, makes_something_of_anything) {
  const ToldStory told = story_from_json(*serve::parse_json(R"({"cause":1,"chain":{},"id":"."})"));
  EXPECT_EQ(told.story.title, "");
  EXPECT_EQ(told.id, RecordId{});
}

}  // namespace
}  // namespace tapio::cli
