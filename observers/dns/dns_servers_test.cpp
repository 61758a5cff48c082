// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include "collected.hpp"
#include "dns_conversation.hpp"
#include "dns_schemas.hpp"

namespace tapio::dns {
namespace {

using DnsTest = Conversation<Collected>;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

TEST_F(DnsTest, a_server_that_answers_nothing_is_found_silent_once) {
  for (std::uint16_t id = 0; id < 6; ++id) asks(id * 100ms, id, id % 2 ? "a.example" : "b.example");
  observer_->on_tick(kStart + 10s, out_);
  EXPECT_THAT(findings(), ElementsAre("dns.resolver_silent"));
  EXPECT_EQ(out_.records[3].schema, &kResolverSilent);
}

TEST_F(DnsTest, a_server_that_answers_others_is_not_silent_when_one_name_is_not_answered) {
  for (std::uint16_t id = 0; id < 10; id += 2) {
    asks(id * 100ms, id, "dead.example");
    asks(id * 100ms + 10ms, id + 1, "a.example", {.client_port = 4001});
    answers(id * 100ms + 20ms, Wire::answer(id + 1, "a.example", kA),
            {.direction = TAPIO_DNS_RECEIVED, .client_port = 4001});
  }
  observer_->on_tick(kStart + 10s, out_);
  EXPECT_THAT(findings(), ElementsAre("dns.failing_name"));
  EXPECT_THAT(out_.text("summary"), HasSubstr("dead.example: no answer"));
}

TEST_F(DnsTest, a_slow_server_is_found_and_a_few_slow_answers_among_many_are_not) {
  for (std::uint16_t id = 0; id < 20; ++id) {
    asks(id * 1s, id, "a.example");
    is_answered(id * 1s + (id % 4 == 0 ? 600ms : 5ms), id, "a.example");
  }
  EXPECT_THAT(findings(), IsEmpty());
  for (std::uint16_t id = 100; id < 115; ++id) {
    asks(id * 1s, id, "a.example");
    is_answered(id * 1s + 600ms, id, "a.example");
  }
  EXPECT_THAT(findings(), ElementsAre("dns.slow"));
}

class ServerFaultsTest : public DnsTest {
 protected:
  // Asked for, and answered after so long.
  void takes(MonotonicTime at, std::chrono::nanoseconds duration, std::string_view name,
             std::uint8_t server = 53) {
    const auto id = next_++;
    asks(at, id, name, {.server = server});
    answers(at + duration, Wire::answer(id, name, kA),
            {.direction = TAPIO_DNS_RECEIVED, .server = server});
  }
  void is_never_answered(MonotonicTime at, std::string_view name, std::uint8_t server = 53) {
    asks(at, next_++, name, {.server = server});
  }
  // Without the figures of the interval.
  void all_is_over() {
    observer_->on_tick(kStart + 100s, out_);
    std::erase_if(out_.records,
                  [](const Record& each) { return each.schema->kind == Kind::metric; });
  }

  std::uint16_t next_ = 1;
};

TEST_F(ServerFaultsTest, one_slow_name_among_quick_ones_is_the_names_fault) {
  const auto again = [&](int i) {
    takes(i * 1s, 600ms, "www.slow.example");
    takes(i * 1s + 700ms, 2ms, "a.quick.example");
  };
  for (int i = 0; i < 6; ++i) again(i);
  EXPECT_THAT(findings(), IsEmpty()) << "others were answered in four seconds after it was known";
  again(6);
  EXPECT_THAT(findings(), ElementsAre("dns.slow_name"));
  const Record& finding = out_.records[out_.records.size() - 2];
  out_.records.push_back(finding);
  EXPECT_EQ(out_.text("entity"), "www.slow.example");
  EXPECT_EQ(out_.text("summary"),
            "7 queries for www.slow.example took longer than 0.5 s within 6.0 s, while "
            "192.0.2.53:53 answered others quickly");
}

TEST_F(ServerFaultsTest, a_name_without_answers_among_quick_ones_is_the_names_fault) {
  for (int i = 0; i < 15; ++i) {
    is_never_answered(i * 1s, "dead.example");
    takes(i * 1s + 700ms, 2ms, "a.quick.example");
    observer_->on_tick(kStart + i * 1s + 900ms, out_);
  }
  EXPECT_THAT(findings(), ElementsAre("dns.failing_name", "dns.slow_name"));
}

TEST_F(ServerFaultsTest, several_slow_names_of_one_zone_are_the_zones_fault) {
  for (int i = 0; i < 7; ++i) {
    takes(i * 1s, 600ms, std::to_string(i) + ".slow.example");
    if (i < 6) takes(i * 1s + 700ms, 2ms, "a.quick.example");
  }
  EXPECT_THAT(findings(), ElementsAre("dns.slow_name"));
  EXPECT_EQ(out_.text("entity"), "names that end in slow.example");
  EXPECT_EQ(out_.text("dns.question.name"), "6.slow.example");
}

TEST_F(ServerFaultsTest, a_zone_of_which_most_is_quick_is_not_blamed) {
  for (int i = 0; i < 40; ++i) {
    takes(i * 1s, i % 4 == 0 ? 600ms : 2ms, "www.slow.example");
    takes(i * 1s + 700ms, 2ms, "a.quick.example");
  }
  EXPECT_THAT(findings(), IsEmpty());
}

TEST_F(ServerFaultsTest, a_server_that_is_slow_for_all_zones_is_slow_itself) {
  for (int i = 0; i < 4; ++i) takes(i * 1s, 600ms, std::to_string(i) + ".slow.example");
  takes(4s, 2ms, "a.quick.example");
  EXPECT_THAT(findings(), IsEmpty());
  takes(5s, 600ms, "www.other.test");
  EXPECT_THAT(findings(), ElementsAre("dns.slow"));
}

TEST_F(ServerFaultsTest, a_zone_that_was_slow_before_others_were_asked_is_not_blamed_by_them) {
  for (int i = 0; i < 6; ++i) takes(i * 100ms, 2ms, "a.quick.example");
  for (int i = 0; i < 4; ++i) takes(1s + i * 1s, 600ms, "www.slow.example");
  EXPECT_THAT(findings(), IsEmpty());
  takes(5s, 600ms, "www.slow.example");
  EXPECT_THAT(findings(), IsEmpty()) << "six were quick, five are slow";
  for (int i = 0; i < 3; ++i) takes(6s + i * 1s, 600ms, "www.slow.example");
  EXPECT_THAT(findings(), ElementsAre("dns.slow"));
}

TEST_F(ServerFaultsTest, slow_answers_are_counted_exactly_at_any_rate) {
  for (int i = 0; i < 20'000; ++i) {
    const auto name = "n" + std::to_string(i % 7) + ".z" + std::to_string(i % 11) + ".example";
    takes(i * 1ms, i % 10 == 0 ? 500ms : 1ms, name);
  }
  EXPECT_THAT(findings(), IsEmpty()) << "one in ten is slow";
}

TEST_F(ServerFaultsTest, one_dead_name_does_not_make_a_server_silent_that_answered_others) {
  takes(0s, 2ms, "a.quick.example");
  for (int i = 0; i < 4; ++i) is_never_answered(1s + i * 5s, "dead.example");
  all_is_over();
  EXPECT_THAT(findings(), IsEmpty());
}

TEST_F(ServerFaultsTest, two_names_without_an_answer_do) {
  takes(0s, 2ms, "a.quick.example");
  is_never_answered(1s, "dead.example");
  is_never_answered(2s, "dead.example");
  is_never_answered(3s, "a.quick.example");
  all_is_over();
  ASSERT_THAT(findings(), ElementsAre("dns.resolver_silent"));
  EXPECT_EQ(out_.text("summary"),
            "192.0.2.53:53 has not answered 3 queries in a row, within 2.0 s");
}

TEST_F(ServerFaultsTest, one_name_does_too_where_nothing_was_answered_for_a_minute) {
  takes(0s, 2ms, "a.quick.example");
  for (int i = 0; i < 3; ++i) is_never_answered(61s + i * 1s, "dead.example");
  all_is_over();
  EXPECT_THAT(findings(), ElementsAre("dns.resolver_silent"));
}

TEST_F(ServerFaultsTest, two_in_a_row_are_not_enough) {
  is_never_answered(1s, "dead.example");
  is_never_answered(2s, "gone.example");
  all_is_over();
  EXPECT_THAT(findings(), IsEmpty());
}

TEST_F(ServerFaultsTest, servers_that_are_silent_together_are_told_together) {
  for (int i = 0; i < 3; ++i) {
    is_never_answered(i * 1s, "a.example", 53);
    is_never_answered(i * 1s + 1ms, "b.example", 54);
  }
  all_is_over();
  EXPECT_THAT(findings(), ElementsAre("dns.resolver_silent", "dns.resolver_silent"));
  EXPECT_THAT(out_.text("summary"), HasSubstr("; none of the 2 that are asked answers"));
}

TEST_F(ServerFaultsTest, a_server_that_answers_is_not_among_the_silent_ones) {
  for (int i = 0; i < 3; ++i) {
    is_never_answered(i * 1s, "a.example", 53);
    is_never_answered(i * 1s + 1ms, "b.example", 54);
    takes(90s + i * 1s, 2ms, "a.example", 55);
  }
  all_is_over();
  EXPECT_THAT(out_.text("summary"), HasSubstr("1 of 2 other name servers are silent too"));
}

TEST_F(ServerFaultsTest, answers_from_an_address_that_was_not_asked_are_found_with_both) {
  for (int i = 0; i < 3; ++i) {
    EXPECT_THAT(findings(), IsEmpty());
    const auto id = next_;
    asks(i * 1s, id, "a.example");
    answers(i * 1s + 1ms, Wire::answer(id, "a.example", kA),
            {.direction = TAPIO_DNS_RECEIVED, .server = 66});
    answers(i * 1s + 2ms, Wire::answer(id, "a.example", kA), kReceived);
    next_++;
  }
  EXPECT_THAT(findings(), ElementsAre("dns.stray_answer"));
  EXPECT_EQ(out_.text("entity"), "192.0.2.66");
  EXPECT_EQ(out_.text("finding.detail"), "192.0.2.66");
  EXPECT_EQ(out_.text("server.address"), "192.0.2.53");
}

TEST(PerMinute, counts_what_is_younger_than_a_minute) {
  PerMinute counts;
  for (int i = 0; i < 5'000; ++i) counts.add(kStart);
  counts.add(kStart + 59s);
  EXPECT_EQ(counts.count(kStart + 59s), 5'001u);
  EXPECT_EQ(counts.count(kStart + 60s), 1u);
  EXPECT_EQ(counts.count(kStart + 1h), 0u);
}

}  // namespace
}  // namespace tapio::dns
