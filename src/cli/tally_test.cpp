// SPDX-License-Identifier: Apache-2.0
#include "cli/tally.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/text.hpp"
#include "cli/fake_agent.hpp"

namespace tapio::cli {
namespace {

using namespace std::literals;
using serve::Json;
using testing::DoubleNear;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

constexpr MonotonicTime kStart = 1000s;

Json json(const std::string& text) {
  return *serve::parse_json(text);
}

Json lookup(std::string_view server, double seconds, std::string_view code = "NOERROR",
            std::string_view name = "a.example") {
  return json(fmt::format(R"({{"name":"dns.query","server.address":"{}","dns.lookup.duration":{},)"
                          R"("dns.response_code":"{}","dns.question.name":"{}"}})",
                          server, seconds, code, name));
}

class Tallies : public testing::Test {
 protected:
  std::vector<TallyRow> rows(MonotonicTime now) { return tally_.rows(now); }
  TallyRow only(MonotonicTime now) {
    auto all = rows(now);
    EXPECT_THAT(all, SizeIs(1));
    return all.empty() ? TallyRow{} : all.front();
  }
  Tally tally_{kServers, kStart};
};

enum Column : std::uint8_t { queries, failed, median, slow, top_names };

TEST_F(Tallies, have_a_row_for_each_value_of_the_key) {
  tally_.add(lookup("192.0.2.1", 0.01), kStart);
  tally_.add(lookup("192.0.2.2", 0.01), kStart);
  tally_.add(lookup("192.0.2.1", 0.01), kStart + 1s);
  const auto all = rows(kStart + 2s);
  ASSERT_THAT(all, SizeIs(2));
  EXPECT_EQ(all[0].key, "192.0.2.1");
  EXPECT_DOUBLE_EQ(*all[0].cells[queries].number, 1.0) << "2 in 2 s";
  EXPECT_DOUBLE_EQ(*all[1].cells[queries].number, 0.5);
}

TEST_F(Tallies, count_only_the_records_that_a_condition_holds_for) {
  tally_.add(lookup("s", 0.01), kStart);
  tally_.add(lookup("s", 0.01, "NXDOMAIN"), kStart);
  tally_.add(json(R"({"name":"dns.query","server.address":"s"})"), kStart);  // does not say
  EXPECT_DOUBLE_EQ(*only(kStart + 1s).cells[queries].number, 3);
  EXPECT_DOUBLE_EQ(*only(kStart + 1s).cells[failed].number, 1);
}

TEST_F(Tallies, tell_quantiles_within_five_percent) {
  for (int i = 1; i <= 1000; ++i) tally_.add(lookup("s", i / 1e3), kStart);
  const auto row = only(kStart + 1s);
  EXPECT_THAT(*row.cells[median].number, DoubleNear(0.5, 0.025));
  EXPECT_THAT(*row.cells[slow].number, DoubleNear(0.99, 0.05));
}

TEST_F(Tallies, of_one_value_every_quantile_is_no_more_than_it) {
  tally_.add(lookup("s", 0.25), kStart);
  EXPECT_LE(*only(kStart + 1s).cells[median].number, 0.25);
  EXPECT_GE(*only(kStart + 1s).cells[median].number, 0.25 * 0.95);
}

TEST_F(Tallies, know_nothing_of_a_number_that_no_record_has) {
  tally_.add(json(R"({"name":"dns.query","server.address":"s","dns.lookup.duration":"x"})"),
             kStart);
  EXPECT_FALSE(only(kStart + 1s).cells[median].number);
}

TEST_F(Tallies, name_what_is_there_most_often_first) {
  for (const char* name : {"b", "a", "b", "c", "b", "a"})
    tally_.add(lookup("s", 0.01, "NOERROR", name), kStart);
  EXPECT_THAT(only(kStart + 1s).cells[top_names].common,
              ElementsAre(Common{"b", 3}, Common{"a", 2}, Common{"c", 1}));
}

TEST_F(Tallies, keep_the_frequent_among_more_names_than_there_is_room_for) {
  for (int i = 0; i < 1000; ++i) {
    tally_.add(lookup("s", 0.01, "NOERROR", "often"), kStart);
    tally_.add(lookup("s", 0.01, "NOERROR", fmt::format("rare{}", i)), kStart);
  }
  const auto names = only(kStart + 1s).cells[top_names].common;
  EXPECT_THAT(names, SizeIs(Measured::kMaxCommon));
  EXPECT_EQ(names.front().text, "often");
}

TEST_F(Tallies, forget_what_is_older_than_twenty_seconds) {
  tally_.add(lookup("old", 0.01), kStart);
  EXPECT_THAT(rows(kStart + 9s), SizeIs(1));
  tally_.add(lookup("new", 0.01), kStart + 11s);
  EXPECT_THAT(rows(kStart + 12s), SizeIs(2));
  EXPECT_EQ(tally_.covers(kStart + 12s), 12s);
  EXPECT_THAT(rows(kStart + 21s), SizeIs(1));
  EXPECT_EQ(tally_.covers(kStart + 21s), 10s);
}

TEST_F(Tallies, that_nobody_looked_at_for_long_begin_anew) {
  tally_.add(lookup("old", 0.01), kStart);
  EXPECT_THAT(rows(kStart + 1h), IsEmpty());
  EXPECT_EQ(tally_.covers(kStart + 1h), Tally::kHalf);
}

TEST_F(Tallies, beyond_their_bound_count_all_others_on_one_line) {
  for (std::size_t i = 0; i < Tally::kMaxLines + 50; ++i)
    tally_.add(lookup(fmt::format("s{:04}", i), 0.01), kStart);
  const auto all = rows(kStart + 1s);
  ASSERT_THAT(all, SizeIs(Tally::kMaxLines + 1));
  EXPECT_EQ(all.front().key, Tally::kOthers);
  EXPECT_DOUBLE_EQ(*all.front().cells[queries].number, 50);
}

TEST_F(Tallies, make_keys_of_strangers_printable_and_short) {
  tally_.add(json(R"({"name":"dns.query","server.address":"a\u001b[2J"})"), kStart);
  EXPECT_EQ(only(kStart + 1s).key, "a\\x1b[2J");
  tally_ = Tally(kServers, kStart);
  tally_.add(lookup(std::string(10'000, 'x'), 0.01), kStart);
  EXPECT_EQ(columns(only(kStart + 1s).key), Tally::kMaxColumns);
}

TEST_F(Tallies, put_a_record_without_the_key_on_a_line_of_its_own) {
  tally_.add(json(R"({"name":"dns.query"})"), kStart);
  EXPECT_EQ(only(kStart + 1s).key, Tally::kNobody);
}

}  // namespace
}  // namespace tapio::cli
