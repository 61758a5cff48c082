// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include "collected.hpp"
#include "dns_conversation.hpp"
#include "dns_hooks.hpp"
#include "dns_schemas.hpp"

namespace tapio::dns {
namespace {

using DnsTest = Conversation<Collected>;
using capture::Feature;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

TEST_F(DnsTest, a_query_and_its_answer_become_one_record_of_who_asked) {
  asks(0ms, 7, "Example.com");
  EXPECT_THAT(out_.records, IsEmpty());
  answers(3ms, with_address(7, "Example.com"), kReceived);
  ASSERT_THAT(out_.records, SizeIs(1));
  EXPECT_EQ(out_.records[0].origin.pid, 100u);
  EXPECT_EQ(out_.records[0].origin.cgroup_id, 7u);
  EXPECT_EQ(out_.records[0].origin.time, kStart + 3ms);
  EXPECT_EQ(out_.text("dns.question.name"), "Example.com");
  EXPECT_EQ(out_.text("dns.question.type"), "A");
  EXPECT_EQ(out_.text("dns.outcome"), "answered");
  EXPECT_EQ(out_.text("dns.response_code"), "NOERROR");
  EXPECT_EQ(out_.get<std::chrono::nanoseconds>("dns.lookup.duration"), 3ms);
  EXPECT_EQ(out_.get<std::chrono::nanoseconds>("dns.answer.ttl"), 60s);
  EXPECT_THAT(*out_.get<std::span<const std::string_view>>("dns.answers"),
              ElementsAre("192.0.2.7"));
  EXPECT_THAT(*out_.get<std::span<const std::string_view>>("dns.answer.records"),
              ElementsAre("Example.com 60 A 192.0.2.7"));
  EXPECT_EQ(out_.text("server.address"), "192.0.2.53");
  EXPECT_EQ(out_.text("client.address"), "192.0.2.1");
  EXPECT_EQ(out_.get<std::uint64_t>("client.port"), 4000u);
  EXPECT_EQ(out_.text("network.interface.name"), "eth0");
  EXPECT_EQ(out_.text("dns.role"), "client");
  EXPECT_EQ(out_.get<std::uint64_t>("dns.attempt"), 1u);
}

TEST_F(DnsTest, what_stands_behind_the_question_of_a_query_is_told_too) {
  auto query = Wire::query(7, "a.example", kA);
  query.additional(std::string("\0\0\x29\x04\xd0\0\0\0\0\0\0", 11));
  ASSERT_TRUE(feed({.time = kStart}, query));
  is_answered(3ms, 7, "a.example");
  ASSERT_THAT(out_.records, SizeIs(1));
  EXPECT_EQ(out_.get<std::uint64_t>("dns.edns.udp_size"), 1232u);
}

TEST_F(DnsTest, the_same_packet_at_stacked_devices_is_one_query_and_one_answer) {
  asks(0ms, 7, "a.example");
  asks(1us * 100, 7, "a.example");
  asks(200us, 7, "a.example", {.direction = TAPIO_DNS_RECEIVED, .network_namespace = 2});
  is_answered(3ms, 7, "a.example");
  is_answered(3ms + 50us, 7, "a.example");
  ASSERT_THAT(out_.records, SizeIs(1));
  EXPECT_EQ(out_.get<std::uint64_t>("dns.attempt"), 1u);
  EXPECT_EQ(observer_->exchanges().counts().repeated, 3u);
  EXPECT_EQ(observer_->exchanges().counts().unasked, 0u);
}

TEST_F(DnsTest, a_query_that_is_sent_again_waits_from_the_first_time_on) {
  asks(0ms, 7, "a.example");
  asks(2s, 7, "a.example");
  is_answered(2005ms, 7, "a.example");
  ASSERT_THAT(out_.records, SizeIs(1));
  EXPECT_EQ(out_.get<std::uint64_t>("dns.attempt"), 2u);
  EXPECT_EQ(out_.get<std::chrono::nanoseconds>("dns.lookup.duration"), 2005ms);
}

TEST_F(DnsTest, another_attempt_with_another_id_or_server_is_counted_on) {
  asks(0ms, 7, "a.example");
  asks(2s, 8, "a.example", {.server = 54, .client_port = 4001});
  is_answered(2001ms, 8, "nobody.example");  // of another server, port and name
  answers(2002ms, Wire::answer(8, "a.example", kA),
          {.direction = TAPIO_DNS_RECEIVED, .server = 54, .client_port = 4001});
  ASSERT_THAT(out_.records, SizeIs(1));
  EXPECT_EQ(out_.get<std::uint64_t>("dns.attempt"), 2u);
  EXPECT_EQ(out_.text("server.address"), "192.0.2.54");
}

TEST_F(DnsTest, several_servers_at_once_are_one_attempt) {
  asks(0ms, 7, "a.example");
  asks(1ms, 7, "a.example", {.server = 54});
  answers(5ms, Wire::answer(7, "a.example", kA), {.direction = TAPIO_DNS_RECEIVED, .server = 54});
  EXPECT_EQ(out_.get<std::uint64_t>("dns.attempt"), 1u);
}

TEST_F(DnsTest, what_nobody_answers_in_time_is_told_as_unanswered) {
  asks(0ms, 7, "a.example");
  observer_->on_tick(kStart + 6s, out_);
  EXPECT_THAT(out_.records, IsEmpty());
  observer_->on_tick(kStart + 7s, out_);
  ASSERT_THAT(out_.records, SizeIs(1));
  EXPECT_EQ(out_.text("dns.outcome"), "unanswered");
  EXPECT_FALSE(out_.known("dns.response_code"));
  EXPECT_FALSE(out_.known("dns.lookup.duration"));
  EXPECT_EQ(observer_->exchanges().open(), 0u);
}

TEST_F(DnsTest, where_messages_were_lost_nothing_is_called_unanswered) {
  asks(0ms, 7, "a.example");
  observer_->on_fact(Lost{.from = kStart + 1s, .to = kStart + 2s, .observer = "dns", .count = 1},
                     out_);
  observer_->on_tick(kStart + 7s, out_);
  ASSERT_THAT(out_.records, SizeIs(1));
  EXPECT_EQ(out_.text("dns.outcome"), "unknown");
}

TEST_F(DnsTest, an_answer_from_an_address_that_was_not_asked_answers_nothing) {
  asks(0ms, 7, "a.example");
  answers(1ms, Wire::answer(7, "a.example", kA), {.direction = TAPIO_DNS_RECEIVED, .server = 66});
  EXPECT_THAT(out_.records, IsEmpty());
  EXPECT_EQ(observer_->exchanges().counts().strays, 1u);
  is_answered(2ms, 7, "a.example");
  EXPECT_EQ(out_.text("dns.stray.address"), "192.0.2.66");
  EXPECT_EQ(out_.text("server.address"), "192.0.2.53");
}

TEST_F(DnsTest, translated_addresses_seen_from_another_network_namespace_are_no_stray) {
  asks(0ms, 7, "a.example");
  answers(1ms, Wire::answer(7, "a.example", kA),
          {.direction = TAPIO_DNS_RECEIVED, .server = 66, .network_namespace = 2});
  is_answered(2ms, 7, "a.example");
  EXPECT_FALSE(out_.known("dns.stray.address"));
  EXPECT_EQ(observer_->exchanges().counts().unasked, 1u);
}

TEST_F(DnsTest, questions_in_flight_at_once_are_told_apart_by_their_ids) {
  asks(0ms, 1, "a.example");
  asks(1ms, 2, "b.example");
  is_answered(5ms, 2, "b.example");
  is_answered(9ms, 1, "a.example");
  ASSERT_THAT(out_.records, SizeIs(2));
  EXPECT_EQ(out_.text("dns.question.name"), "a.example");
  EXPECT_EQ(out_.get<std::chrono::nanoseconds>("dns.lookup.duration"), 9ms);
}

TEST_F(DnsTest, an_id_that_comes_again_is_another_query) {
  asks(0ms, 1, "a.example");
  is_answered(1ms, 1, "a.example");
  asks(10ms, 1, "a.example");
  is_answered(12ms, 1, "a.example");
  ASSERT_THAT(out_.records, SizeIs(2));
  EXPECT_EQ(out_.get<std::chrono::nanoseconds>("dns.lookup.duration"), 2ms);
}

TEST_F(DnsTest, a_name_server_here_answers_others_in_a_role_of_its_own) {
  asks(0ms, 7, "a.example", {.direction = TAPIO_DNS_RECEIVED, .is_sender = false});
  answers(1ms, Wire::answer(7, "a.example", kA), {.pid = 300});
  ASSERT_THAT(out_.records, SizeIs(1));
  EXPECT_EQ(out_.text("dns.role"), "server");
  EXPECT_EQ(out_.records[0].origin.pid, 300u);
  asks(1s, 8, "b.example", {.direction = TAPIO_DNS_RECEIVED, .is_sender = false});
  observer_->on_tick(kStart + 10s, out_);
  EXPECT_THAT(out_.records, SizeIs(1)) << "it may have passed through";
}

TEST_F(DnsTest, failures_are_told_whatever_the_rate) {
  Config config;
  config.rate_per_second = 1;
  config.keep_one_in = 4;
  observer_.emplace(config);
  for (std::uint16_t id = 0; id < 9; ++id) {
    asks(id * 1ms, id, "a.example");
    is_answered(id * 1ms + 500us, id, "a.example");
  }
  EXPECT_THAT(out_.records, SizeIs(3)) << "one by the rate, and two of the eight beyond";
  EXPECT_EQ(out_.rate_limited, 6u);
  for (std::uint16_t id = 100; id < 104; ++id) {
    asks(id * 1ms, id, "no.example");
    is_answered(id * 1ms + 500us, id, "no.example", kNxDomain);
  }
  EXPECT_THAT(out_.records, SizeIs(7));
}

TEST_F(DnsTest, the_table_is_bounded_and_says_what_it_had_to_let_go) {
  for (std::size_t i = 0; i < Exchanges::kMaxOpen + 10; ++i)
    asks(1us * i, static_cast<std::uint16_t>(i), "a.example",
         {.client_port = static_cast<std::uint16_t>(1000 + i / 60'000)});
  EXPECT_EQ(observer_->exchanges().open(), Exchanges::kMaxOpen);
  EXPECT_EQ(observer_->exchanges().counts().evicted, 10u);
  ASSERT_THAT(out_.records, SizeIs(10));
  EXPECT_EQ(out_.text("dns.outcome"), "unknown");
}

TEST_F(DnsTest, malformed_samples_are_refused) {
  auto bytes = sample_of({.time = kStart}, Wire::query(1, "a.example", kA));
  const auto refused = [&](std::size_t at, std::byte value) {
    auto wrong = bytes;
    wrong[at] = value;
    const auto sample = wire::open_sample(wrong);
    return sample && !observer_->on_sample(*sample, out_);
  };
  EXPECT_TRUE(refused(offsetof(tapio_event_header, kind), std::byte{9}));
  EXPECT_TRUE(refused(offsetof(tapio_event_header, version), std::byte{9}));
  EXPECT_TRUE(refused(offsetof(tapio_dns_datagram, ip_version), std::byte{5}));
  EXPECT_TRUE(refused(offsetof(tapio_dns_datagram, message) + 1, std::byte{0xff}));
  EXPECT_TRUE(refused(offsetof(tapio_dns_datagram, message) + 2, std::byte{11}));
  EXPECT_THAT(out_.records, IsEmpty());
}

TEST(Dns, the_typed_programs_are_taken_where_the_kernel_has_them_and_raw_ones_elsewhere) {
  const auto chosen = [](Feature features) {
    return capture::choose(kHooks, {.features = features})[TAPIO_DNS_ON_RECEIVE].program;
  };
  EXPECT_STREQ(chosen(Feature::btf | Feature::tp_btf | Feature::raw_tp), "received_btf");
  EXPECT_STREQ(chosen(Feature::btf | Feature::raw_tp), "received_raw");
  EXPECT_EQ(chosen(Feature::raw_tp), nullptr);
}

TEST(Dns, ports_that_are_none_and_too_many_are_refused) {
  EXPECT_TRUE(Config{}.check());
  Config config;
  config.ports = {};
  EXPECT_FALSE(config.check());
  config.ports = {0};
  EXPECT_FALSE(config.check());
  config.ports = {70'000};
  EXPECT_FALSE(config.check());
  config.ports.assign(9, 53);
  EXPECT_FALSE(config.check());
  config = {};
  config.interfaces = {"eth0", "a_name_of_16_char"};
  EXPECT_FALSE(config.check());
  config.interfaces = {"eth0", "a_name_of_15_ch"};
  EXPECT_TRUE(config.check());
}

}  // namespace
}  // namespace tapio::dns
