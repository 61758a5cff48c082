// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include "collected.hpp"
#include "dns_hooks.hpp"
#include "dns_observer.hpp"
#include "dns_samples.hpp"
#include "dns_schemas.hpp"

namespace tapio::dns {
namespace {

using namespace std::chrono_literals;
using capture::Feature;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

constexpr MonotonicTime kStart = 1000s;

class DnsTest : public testing::Test {
 protected:
  Status feed(const Packet& packet, const Wire& message) {
    const auto bytes = sample_of(packet, message);
    return observer_->on_sample(TRY(wire::open_sample(bytes)), out_);
  }
  void asks(MonotonicTime at, std::uint16_t id, std::string_view name, Packet packet = {}) {
    packet.time = kStart + at;
    ASSERT_TRUE(feed(packet, Wire::query(id, name, kA)));
  }
  void answers(MonotonicTime at, const Wire& message, Packet packet = {}) {
    packet.time = kStart + at;
    packet.is_sender = packet.direction == TAPIO_DNS_SENT;
    ASSERT_TRUE(feed(packet, message));
  }
  void is_answered(MonotonicTime at, std::uint16_t id, std::string_view name,
                   std::uint16_t flags = 0) {
    answers(at, Wire::answer(id, name, kA, flags), kReceived);
  }
  std::vector<std::string_view> findings() const {
    std::vector<std::string_view> names;
    for (const Record& record : out_.records)
      if (record.schema->kind == Kind::finding) names.push_back(record.schema->name);
    return names;
  }

  static constexpr Packet kReceived{.direction = TAPIO_DNS_RECEIVED};
  Collected out_;
  std::optional<DnsObserver> observer_{std::in_place, Config{}};
};

Wire with_address(std::uint16_t id, std::string_view name) {
  auto wire = Wire::answer(id, name, kA);
  wire.record("\xc0\x0c", kA, 60, std::string("\xc0\x00\x02\x07", 4));
  return wire;
}

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

TEST_F(DnsTest, a_name_that_fails_again_and_again_is_found_with_its_evidence) {
  for (std::uint16_t id = 0; id < 5; ++id) {
    asks(id * 1s, id, "gone.example");
    is_answered(id * 1s + 1ms, id, "gone.example", kServFail);
  }
  ASSERT_THAT(findings(), ElementsAre("dns.failing_name"));
  EXPECT_EQ(out_.text("finding.detail"), "SERVFAIL");
  EXPECT_THAT(*out_.get<std::span<const std::string_view>>("evidence"), SizeIs(5));
}

TEST_F(DnsTest, a_search_list_that_ends_in_a_name_that_works_is_no_failure) {
  for (std::uint16_t id = 0; id < 60; id += 3) {
    asks(id * 100ms, id, "api.example.default.svc.cluster.local");
    is_answered(id * 100ms + 1ms, id, "api.example.default.svc.cluster.local", kNxDomain);
    asks(id * 100ms + 2ms, id + 1, "api.example.svc.cluster.local");
    is_answered(id * 100ms + 3ms, id + 1, "api.example.svc.cluster.local", kNxDomain);
    asks(id * 100ms + 4ms, id + 2, "api.example");
    is_answered(id * 100ms + 5ms, id + 2, "api.example");
  }
  EXPECT_THAT(findings(), IsEmpty());
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

TEST_F(DnsTest, a_process_that_has_to_ask_twice_each_time_is_found) {
  for (std::uint16_t id = 0; id < 10; ++id) {
    asks(id * 1s, id, "a.example");
    asks(id * 1s + 300ms, id, "a.example");
    is_answered(id * 1s + 301ms, id, "a.example");
  }
  EXPECT_THAT(findings(), ElementsAre("dns.retries"));
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
}

}  // namespace
}  // namespace tapio::dns
