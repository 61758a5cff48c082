// SPDX-License-Identifier: Apache-2.0
#include "cli/targets.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/fake_agent.hpp"
#include "cli/where.hpp"

namespace tapio {

namespace {
constexpr std::array<const Schema*, 3> kJobSchemas = {&cli::kStart, &cli::kSignal, &cli::kDelivery};
constexpr std::array<const Schema*, 1> kDnsSchemas = {&cli::kQuery};
constexpr std::array<const View*, 1> kDnsViews = {&cli::kServers};
constexpr Descriptor kJob{.name = "job",
                          .id = 1,
                          .summary = "",
                          .hooks = {},
                          .schemas = kJobSchemas,
                          .settings = nullptr,
                          .start = nullptr};
constexpr Descriptor kDns{.name = "dns",
                          .id = 2,
                          .summary = "",
                          .hooks = {},
                          .schemas = kDnsSchemas,
                          .settings = nullptr,
                          .start = nullptr,
                          .views = kDnsViews};
}  // namespace

// Instead of the table that the build generates.
std::span<const Descriptor* const> observers() {
  static constexpr std::array<const Descriptor*, 2> kAll = {&kDns, &kJob};
  return kAll;
}

namespace cli {
namespace {

using namespace std::literals;
using testing::ElementsAre;
using testing::HasSubstr;

using Words = std::vector<std::string>;

std::vector<const Schema*> found(const Words& words) {
  return resolve(words, observers()).value_or(std::vector<const Schema*>{});
}

TEST(Targets, may_be_an_observer_without_what_is_below_another_record) {
  EXPECT_THAT(found({"job"}), ElementsAre(&kStart, &kSignal));
}

TEST(Targets, may_be_a_record_with_all_below_it) {
  EXPECT_THAT(found({"job.signal"}), ElementsAre(&kSignal, &kDelivery));
  EXPECT_THAT(found({"signal"}), ElementsAre(&kSignal, &kDelivery));
  EXPECT_THAT(found({"signals"}), ElementsAre(&kSignal, &kDelivery));
  EXPECT_THAT(found({"delivery"}), ElementsAre(&kDelivery));
  EXPECT_THAT(found({"start"}), ElementsAre(&kStart));
}

TEST(Targets, may_be_several_and_repeat) {
  EXPECT_THAT(found({"dns", "start", "start", "job.start"}), ElementsAre(&kQuery, &kStart));
}

TEST(Targets, that_nobody_reports_get_a_hint) {
  EXPECT_THAT(resolve(Words{"strat"}, observers()).error().what,
              HasSubstr("called 'strat'; did you mean start?"));
  EXPECT_THAT(resolve(Words{"start", "\x1b"}, observers()).error().what,
              HasSubstr(R"('\x1b'; there are delivery, dns, job, query, signal, start)"));
  EXPECT_FALSE(resolve(Words{"sig"}, observers()));
  EXPECT_FALSE(resolve(Words{""}, observers()));
}

TEST(Where, compares_a_field_or_the_end_of_its_name) {
  const Record record =
      kSignal(Origin{.cgroup_id = 4, .pid = 7, .tid = 8}, -9, 42u, true, 1500ms, 0.25, 0ns);
  const auto holds = [&](std::string_view text) {
    const auto where = parse_where(text);
    return where && matches(record, {{*where}});
  };
  EXPECT_TRUE(holds("pid=7"));
  EXPECT_TRUE(holds("pid=42"));
  EXPECT_TRUE(holds("process.pid=7,8"));
  EXPECT_FALSE(holds("process.pid=42"));
  EXPECT_TRUE(holds("signal.number=1,-9"));
  EXPECT_TRUE(holds("lethal=true"));
  EXPECT_TRUE(holds("job.age=1.5"));
  EXPECT_TRUE(holds("load=0.25"));
  EXPECT_TRUE(holds("tapio.cgroup.id=4"));
  EXPECT_TRUE(holds("tapio.class=normal"));
  EXPECT_TRUE(holds("name=job.signal"));
  EXPECT_FALSE(holds("id=7"));      // process.pid does not end in ".id"
  EXPECT_FALSE(holds("nothing="));  // absent is not empty
  EXPECT_FALSE(holds("process.executable.name="));
}

TEST(Where, finds_one_of_a_list) {
  const std::array<std::string_view, 2> args = {"rm", "-rf"};
  const Record record = kStart(Origin{}, 0u, "rm"sv, std::span<const std::string_view>(args));
  EXPECT_TRUE(matches(record, {{Where{"command_args", {"-rf"}}}}));
  EXPECT_FALSE(matches(record, {{Where{"command_args", {"-rf"}}, Where{"user.id", {"1"}}}}));
}

TEST(Where, prefers_the_field_to_what_is_known_of_the_process) {
  const Context context{.process_id = {}, .process_name = "old", .executable = {}};
  Record record = kStart(Origin{}, 0u, "new"sv, std::span<const std::string_view>());
  record.context = &context;
  EXPECT_TRUE(matches(record, {{Where{"process.executable.name", {"new"}}}}));
  EXPECT_FALSE(matches(record, {{Where{"process.executable.name", {"old"}}}}));
}

TEST(Where, keeps_empty_values) {
  EXPECT_EQ(parse_where("a=")->values, Words{""});
  EXPECT_EQ(parse_where("a=b,,c")->values, (Words{"b", "", "c"}));
  EXPECT_EQ(parse_where("a=b=c")->values, Words{"b=c"});
}

}  // namespace
}  // namespace cli
}  // namespace tapio
