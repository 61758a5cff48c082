// SPDX-License-Identifier: Apache-2.0
#include "dns_truncations.hpp"

#include <gmock/gmock.h>

#include "collected.hpp"
#include "dns_conversation.hpp"

namespace tapio::dns {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

class TruncationsTest : public testing::Test {
 protected:
  TruncationsTest() { truncations_.configure({}); }

  static Lookup lookup(MonotonicTime at, std::string_view name, std::uint16_t flags) {
    Lookup made{.outcome = Outcome::answered, .concluded = kStart + at + 1ms};
    made.query = {.origin = {.time = kStart + at, .pid = 100}};
    made.query.message.name = name;
    made.query.message.type = kTxt;
    made.query.server = {.address = {192, 0, 2, 53}, .port = 53};
    made.answer = made.query;
    made.answer->message.head.flags = TAPIO_DNS_QR | flags;
    return made;
  }
  void truncates(MonotonicTime at, std::string_view name = "big.example") {
    truncations_.on(lookup(at, name, TAPIO_DNS_TC), Transport::udp, {1, 1}, out_);
  }
  void asks_again(MonotonicTime at, Transport by, std::string_view name = "big.example") {
    truncations_.on(lookup(at, name, 0), by, {1, 2}, out_);
  }
  void every_second(Truncations& truncations, std::chrono::seconds until) {
    for (auto at = 0s; at <= until; at += 1s) truncations.on_tick(kStart + at, out_);
  }

  Collected out_;
  Truncations truncations_{TcpSight::seen};
};

TEST_F(TruncationsTest, one_name_that_is_truncated_again_and_again_is_found) {
  for (int i = 0; i < 10; ++i) {
    EXPECT_THAT(out_.records, IsEmpty());
    truncates(i * 1s);
    asks_again(i * 1s + 2ms, Transport::tcp, "Big.Example");
  }
  ASSERT_THAT(out_.records, SizeIs(1));
  EXPECT_EQ(out_.records[0].schema, &kTruncated);
  EXPECT_EQ(out_.text("severity"), "info");
  EXPECT_EQ(out_.text("entity"), "192.0.2.53:53");
  EXPECT_EQ(out_.text("summary"),
            "192.0.2.53:53 truncated 10 answers for big.example TXT within 9.0 s; 9 were asked "
            "again over TCP, 0 over UDP, by now");
  every_second(truncations_, 60s);
  EXPECT_THAT(out_.records, SizeIs(1)) << "each was followed by TCP";
}

TEST_F(TruncationsTest, many_names_that_are_truncated_now_and_then_are_ordinary) {
  for (int i = 0; i < 200; ++i) {
    const auto name = "big" + std::to_string(i) + ".example";
    truncates(i * 100ms, name);
    asks_again(i * 100ms + 2ms, Transport::tcp, name);
  }
  for (int i = 0; i < 9; ++i) truncates(i * 1s, "other.example");
  EXPECT_THAT(out_.records, IsEmpty());
}

TEST_F(TruncationsTest, where_nothing_follows_that_is_told) {
  for (int i = 0; i < 2; ++i) truncates(i * 10ms, "big" + std::to_string(i) + ".example");
  every_second(truncations_, 60s);
  EXPECT_THAT(out_.records, IsEmpty()) << "two may have lost interest";
  truncates(20ms, "big3.example");
  truncations_.on_tick(kStart + 9s, out_);
  EXPECT_THAT(out_.records, IsEmpty()) << "it may still come";
  truncations_.on_tick(kStart + 10s, out_);
  ASSERT_THAT(out_.records, SizeIs(1));
  EXPECT_EQ(out_.text("severity"), "warning");
  EXPECT_EQ(out_.text("finding.detail"), "nothing followed");
  EXPECT_THAT(out_.text("summary"), HasSubstr("3 truncated answers of 192.0.2.53:53"));
}

TEST_F(TruncationsTest, a_question_that_is_asked_again_over_udp_is_not_abandoned) {
  for (int i = 0; i < 5; ++i) {
    const auto name = "big" + std::to_string(i) + ".example";
    truncates(i * 10ms, name);
    asks_again(i * 10ms + 2ms, Transport::udp, name);
  }
  every_second(truncations_, 60s);
  EXPECT_THAT(out_.records, IsEmpty());
}

TEST_F(TruncationsTest, what_was_asked_before_is_no_answer_to_it) {
  for (int i = 0; i < 3; ++i) {
    const auto name = "big" + std::to_string(i) + ".example";
    truncates(i * 10ms, name);
    asks_again(i * 10ms - 1ms, Transport::tcp, name);
  }
  every_second(truncations_, 60s);
  EXPECT_THAT(out_.records, SizeIs(1));
}

TEST_F(TruncationsTest, after_a_loss_nothing_is_said_of_what_followed) {
  for (int i = 0; i < 5; ++i) truncates(i * 10ms, "big" + std::to_string(i) + ".example");
  truncations_.lost();
  every_second(truncations_, 60s);
  EXPECT_THAT(out_.records, IsEmpty());
}

TEST_F(TruncationsTest, where_tcp_cannot_be_seen_nothing_is_said_of_it) {
  Truncations blind(TcpSight::unseen);
  blind.configure({});
  for (int i = 0; i < 10; ++i)
    blind.on(lookup(i * 1s, "big.example", TAPIO_DNS_TC), Transport::udp, {1, 1}, out_);
  every_second(blind, 60s);
  ASSERT_THAT(out_.records, SizeIs(1));
  EXPECT_THAT(out_.text("summary"),
              EndsWith("whether it was asked again over TCP is not seen here"));
}

}  // namespace
}  // namespace tapio::dns
