// SPDX-License-Identifier: Apache-2.0
#include "serve/http_query.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "record/record_id.hpp"
#include "serve/http_address.hpp"
#include "serve/http_config.hpp"
#include "serve/request.hpp"

namespace tapio::serve {
namespace {

using namespace std::literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::SizeIs;

constexpr ParameterSet kAll = {Parameter::limit, Parameter::cursor, Parameter::since,
                               Parameter::name, Parameter::type};

std::string why_not(std::string_view key, std::string_view value, ParameterSet allowed = kAll) {
  Query query;
  const auto read = read_parameter(query, allowed, key, value);
  return read ? "" : read.error().what;
}

TEST(HttpQuery, every_parameter_is_understood) {
  Query query;
  for (const auto& [key, value] :
       {std::pair{"limit", "7"}, std::pair{"cursor", "0000002a.9"}, std::pair{"since", "10m"},
        std::pair{"name", "process.exec,process.exit"}, std::pair{"name", "gap"},
        std::pair{"type", "event,gap"}})
    ASSERT_TRUE(read_parameter(query, kAll, key, value)) << key;
  EXPECT_EQ(query.limit, 7u);
  EXPECT_EQ(query.cursor, (RecordId{0x2a, 9}));
  EXPECT_EQ(query.since, 10min);
  EXPECT_THAT(query.names, ElementsAre("process.exec", "process.exit", "gap"));
  EXPECT_THAT(query.types, ElementsAre(Kind::event, Kind::gap));
}

TEST(HttpQuery, what_is_wrong_is_said_in_a_sentence) {
  for (const auto* limit : {"", "0", "-1", "1001", "1e3", "99999999999999999999", "7 "})
    EXPECT_THAT(why_not("limit", limit), HasSubstr("1 to 1000")) << limit;
  for (const auto* cursor :
       {"", ".", "2a.9", "0000002a.", "0000002a.x", "0000002a.9 ", "0000002a.99999999999999999999"})
    EXPECT_THAT(why_not("cursor", cursor), HasSubstr("next")) << cursor;
  EXPECT_THAT(why_not("since", "yesterday"), HasSubstr("since"));
  EXPECT_THAT(why_not("type", "rumour"), HasSubstr("event, metric"));
  EXPECT_THAT(why_not("limits", "7"), HasSubstr("'limits'"));
}

TEST(HttpQuery, a_parameter_that_the_route_does_not_take_is_refused_and_not_ignored) {
  EXPECT_THAT(why_not("name", "x", {Parameter::limit}), HasSubstr("unknown parameter 'name'"));
}

TEST(HttpQuery, names_are_bounded) {
  Query query;
  EXPECT_FALSE(read_parameter(query, kAll, "name", std::string(100, ',')));
  EXPECT_THAT(query.names, SizeIs(kMaxNames));
}

TEST(HttpQuery, a_filter_takes_records_of_its_names_and_types) {
  constexpr Schema kExec{.name = "process.exec", .kind = Kind::event};
  EXPECT_TRUE(Query{}.wants(kExec));
  EXPECT_TRUE((Query{.names = {"process.exec"}, .types = {Kind::event}}.wants(kExec)));
  EXPECT_FALSE((Query{.names = {"process.exit"}}.wants(kExec)));
  EXPECT_FALSE((Query{.names = {"process.exec"}, .types = {Kind::gap}}.wants(kExec)));
}

TEST(RecordIds, are_read_as_they_are_written) {
  for (const RecordId id : {RecordId{}, RecordId{0x673e9a10, 42}, RecordId{~0u, ~0ull}})
    EXPECT_EQ(parse_record_id(id.text()), id);
}

TEST(HttpAddress, knows_what_is_loopback) {
  for (const auto* text : {"127.0.0.1:7170", "127.9.9.9:1", "[::1]:0", "[::ffff:127.0.0.1]:80"})
    EXPECT_TRUE(parse_address(text).value().loopback) << text;
  for (const auto* text : {"0.0.0.0:7170", "[::]:7170", "10.0.0.1:1", "[::ffff:10.0.0.1]:80"})
    EXPECT_FALSE(parse_address(text).value().loopback) << text;
}

TEST(HttpAddress, takes_numbers_alone) {
  for (const auto* text : {"", ":", ":80", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536", "::1:80",
                           "127.0.0.1:80 ", "localhost:80", "[127.0.0.1]:80", "[]:80"})
    EXPECT_FALSE(parse_address(text)) << text;
}

TEST(HttpAddress, a_host_by_number_or_localhost_is_plain) {
  for (const auto* host : {"127.0.0.1:7170", "127.0.0.1", "localhost:7170", "localhost",
                           "[::1]:7170", "[::1]", "10.1.2.3"})
    EXPECT_TRUE(is_plain_host(host)) << host;
  for (const auto* host : {"evil.example", "evil.example:7170", "localhost.evil.example",
                           "127.0.0.1.evil.example", "localhost:x", ""})
    EXPECT_FALSE(is_plain_host(host)) << host;
}

TEST(HttpConfig, an_address_for_everybody_wants_token_and_tls_or_to_be_called_insecure) {
  EXPECT_TRUE(HttpConfig{}.check());
  HttpConfig config{.listen = "0.0.0.0:7170"};
  EXPECT_THAT(config.check().error().what, HasSubstr("insecure"));
  config.token_file = "token";
  EXPECT_FALSE(config.check());
  config.tls_certificate = "certificate";
  EXPECT_THAT(config.check().error().what, HasSubstr("belong together"));
  config.tls_key = "key";
  EXPECT_TRUE(config.check());
  EXPECT_TRUE((HttpConfig{.listen = "0.0.0.0:7170", .insecure = true}.check()));
}

TEST(HttpConfig, streams_leave_connections_for_others) {
  EXPECT_FALSE((HttpConfig{.connections = 16, .streams = 16}.check()));
}

TEST(HttpConfig, a_secret_is_the_same_in_all_of_its_letters) {
  EXPECT_TRUE(is_same_secret("0123456789abcdef", "0123456789abcdef"));
  for (const auto* wrong : {"", "0", "0123456789abcdeg", "1123456789abcdef", "0123456789abcde",
                            "0123456789abcdef0123456789abcdef", "0123456789abcdef0"})
    EXPECT_FALSE(is_same_secret(wrong, "0123456789abcdef")) << wrong;
  EXPECT_FALSE(is_same_secret("", ""));
}

}  // namespace
}  // namespace tapio::serve
