// SPDX-License-Identifier: Apache-2.0
#include "base/log.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tapio::log {
namespace {

using namespace std::chrono_literals;

class Log : public testing::Test {
 protected:
  ~Log() override { configure(Level::info, Format::text); }

  static std::string written(auto&& act) {
    testing::internal::CaptureStderr();
    act();
    return testing::internal::GetCapturedStderr();
  }
};

TEST_F(Log, writes_a_line_with_its_level_but_for_info) {
  configure(Level::debug, Format::text);
  EXPECT_EQ(written([] { debug("a {}", 1); }), "debug: a 1\n");
  EXPECT_EQ(written([] { info("b"); }), "b\n");
  EXPECT_EQ(written([] { warning("c"); }), "warning: c\n");
  EXPECT_EQ(written([] { error("d"); }), "error: d\n");
}

TEST_F(Log, leaves_out_what_is_below_the_least_level) {
  configure(Level::warning, Format::text);
  EXPECT_EQ(written([] { debug("a"), info("b"), warning("c"); }), "warning: c\n");
  EXPECT_FALSE(enabled(Level::info));
  EXPECT_TRUE(enabled(Level::error));
}

TEST_F(Log, a_line_stays_one_line_whatever_it_holds) {
  EXPECT_EQ(written([] { info("{}", "a\nb\x1b[2J"); }), "a\\nb\\x1b[2J\n");
}

TEST_F(Log, json_has_time_level_and_message) {
  configure(Level::info, Format::json);
  EXPECT_THAT(written([] { error("a \"b\"\n"); }),
              testing::MatchesRegex(R"(\{"time":"[-0-9]*T[0-9:.]*Z","level":"error",)"
                                    R"("message":"a \\"b\\"\\n"\}.)"));
}

TEST(Sparingly, is_due_once_a_minute_and_says_how_often_it_was_not) {
  Sparingly sparingly;
  std::uint64_t unsaid = 99;
  EXPECT_TRUE(sparingly.due(1h, unsaid));
  EXPECT_EQ(unsaid, 0u);
  EXPECT_FALSE(sparingly.due(1h, unsaid));
  EXPECT_FALSE(sparingly.due(1h + 59s, unsaid));
  EXPECT_TRUE(sparingly.due(1h + 60s, unsaid));
  EXPECT_EQ(unsaid, 2u);
  EXPECT_TRUE(sparingly.due(2h, unsaid));
  EXPECT_EQ(unsaid, 0u);
}

}  // namespace
}  // namespace tapio::log
