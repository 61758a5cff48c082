// SPDX-License-Identifier: Apache-2.0
#include "agent/reload.hpp"

#include <gmock/gmock.h>

#include "serve/json.hpp"

namespace tapio::agent {
namespace {

using namespace std::chrono_literals;
using testing::EndsWith;
using testing::SizeIs;

const config::Change kRate{"observers.process.rate_per_second", "200", "1000", true};
const config::Change kRing{"observers.process.ring", "256KiB", "1MiB", false};

TEST(Reloads, say_in_a_few_words_what_became_of_them) {
  EXPECT_EQ(summary_of({}), "nothing changed");
  EXPECT_EQ(summary_of({.changed = {kRate}}), "1 setting changed");
  EXPECT_EQ(summary_of({.changed = {kRate, kRate}, .restart = {kRing}}),
            "2 settings changed, 1 needs a restart");
  EXPECT_EQ(summary_of({.restart = {kRing, kRing}}), "nothing changed, 2 need a restart");
  EXPECT_EQ(summary_of({.kept = true, .wrong = {"a"}}),
            "refused, 1 thing is wrong; the old configuration is kept");
}

TEST(Reloads, cut_a_long_value_between_two_characters) {
  EXPECT_EQ(line_of(kRate), "observers.process.rate_per_second: 200 -> 1000");
  std::string umlauts = "x";
  for (int i = 0; i < 1000; ++i) umlauts += "ä";
  const auto line = line_of({"redact.names", "[]", umlauts, true});
  EXPECT_THAT(line, EndsWith("ä..."));
  EXPECT_LT(line.size(), 250u);
}

TEST(Reloads, are_written_as_json) {
  std::string out;
  append_json(out,
              {.time = 5s,
               .file = "/etc/t\"apio.yaml",
               .changed = {kRate},
               .restart = {kRing, kRing},
               .wrong = {"one", "two"}},
              {.wall_ahead = 1'700'000'000s});
  const auto json = serve::parse_json(out);
  ASSERT_TRUE(json) << out;
  EXPECT_EQ((*json)["file"].text(), "/etc/t\"apio.yaml");
  EXPECT_EQ((*json)["time"].text(), "2023-11-14T22:13:25.000000000Z");
  EXPECT_FALSE((*json)["kept"].truth());
  ASSERT_THAT((*json)["changed"].items(), SizeIs(1));
  EXPECT_EQ((*json)["changed"].items()[0]["setting"].text(), kRate.setting);
  EXPECT_EQ((*json)["changed"].items()[0]["before"].text(), "200");
  EXPECT_EQ((*json)["changed"].items()[0]["after"].text(), "1000");
  EXPECT_THAT((*json)["restart"].items(), SizeIs(2));
  EXPECT_THAT((*json)["wrong"].items(), SizeIs(2));
}

}  // namespace
}  // namespace tapio::agent
