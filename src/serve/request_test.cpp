// SPDX-License-Identifier: Apache-2.0
#include "serve/request.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "serve/json.hpp"

namespace tapio::serve {
namespace {

using namespace std::literals;
using testing::HasSubstr;

std::string refusal(std::string_view line) {
  const auto request = parse_request(line);
  return request ? "" : request.error().what;
}

TEST(Request, survives_being_written_and_read) {
  const Request request{.command = Command::stream, .since = 90s, .names = {"a.b", "\"\x01\n"}};
  const auto again = parse_request(to_json(request));
  ASSERT_TRUE(again) << again.error().what;
  EXPECT_EQ(again->command, Command::stream);
  EXPECT_EQ(again->since, 90s);
  EXPECT_EQ(again->names, request.names);
}

TEST(Request, needs_a_version_and_a_command) {
  EXPECT_THAT(refusal("{}"), HasSubstr("a request looks like"));
  EXPECT_THAT(refusal(R"({"command":"status"})"), HasSubstr("a request looks like"));
  EXPECT_THAT(refusal(R"({"v":2,"command":"status"})"), HasSubstr("speaks version 1"));
  EXPECT_THAT(refusal(R"({"v":1,"command":"halt"})"),
              HasSubstr("status, stories, stream or reload"));
}

TEST(Request, refuses_a_key_that_might_be_a_filter) {
  EXPECT_THAT(refusal(R"({"v":1,"command":"stream","pid\u001b":1})"),
              HasSubstr(R"(unknown key 'pid\x1b')"));
}

TEST(Request, refuses_values_of_the_wrong_type) {
  EXPECT_THAT(refusal(R"({"v":1,"command":"stories","since":10})"), HasSubstr("since"));
  EXPECT_THAT(refusal(R"({"v":1,"command":"stream","names":"exec"})"), HasSubstr("list of texts"));
  EXPECT_THAT(refusal(R"({"v":1,"command":"stream","names":[1]})"), HasSubstr("list of texts"));
  EXPECT_THAT(refusal(R"([1])"), HasSubstr("a request looks like"));
}

TEST(Request, refuses_more_names_than_a_stream_checks) {
  std::string line = R"({"v":1,"command":"stream","names":["a")";
  for (std::size_t i = 0; i < kMaxNames; ++i) line += R"(,"a")";
  EXPECT_THAT(refusal(line + "]}"), HasSubstr("more than 64 names"));
}

TEST(Request, an_error_comes_back_with_its_fault) {
  const auto error = error_in(error_json({Fault::denied, "not you, \"root\""}));
  ASSERT_TRUE(error);
  EXPECT_EQ(error->fault, Fault::denied);
  EXPECT_EQ(error->what, "not you, \"root\"");
  EXPECT_FALSE(error_in(R"({"version":"1"})"));
}

TEST(ParseJson, refuses_what_is_not_one_json_value) {
  for (const auto text : {""sv, "{"sv, "{} {}"sv, "{}\0{"sv, "\"\xff\""sv, "nul"sv, "[1,]"sv})
    EXPECT_FALSE(parse_json(text)) << text;
}

TEST(ParseJson, bounds_depth_without_using_the_stack) {
  EXPECT_TRUE(parse_json(std::string(kMaxJsonDepth, '[') + std::string(kMaxJsonDepth, ']')));
  const auto deep = parse_json(std::string(5'000'000, '['));
  ASSERT_FALSE(deep);
  EXPECT_THAT(deep.error().what, HasSubstr("deeper than 32"));
}

TEST(ParseJson, bounds_the_number_of_values) {
  std::string many = "[0";
  for (std::size_t i = 0; i < kMaxJsonValues; ++i) many += ",0";
  EXPECT_FALSE(parse_json(many + "]"));
}

TEST(Json, gives_empty_values_for_what_is_not_there) {
  const auto json = parse_json(R"({"a":{"b":-3},"t":"x","big":18446744073709551615,"f":1e300})");
  ASSERT_TRUE(json);
  EXPECT_EQ((*json)["a"]["b"].integer(), -3);
  EXPECT_EQ((*json)["a"]["b"].count(), 0u);
  EXPECT_EQ((*json)["none"]["b"]["c"].text(), "");
  EXPECT_EQ((*json)["t"].count(), 0u);
  EXPECT_TRUE((*json)["t"].items().empty());
  EXPECT_EQ((*json)["big"].count(), std::numeric_limits<std::uint64_t>::max());
  EXPECT_EQ((*json)["big"].integer(), std::numeric_limits<std::int64_t>::max());
  EXPECT_EQ((*json)["f"].integer(), 0);
}

}  // namespace
}  // namespace tapio::serve
