// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include <random>
#include <string>

#include "collected.hpp"
#include "dns_conversation.hpp"
#include "dns_schemas.hpp"

namespace tapio::dns {
namespace {

using DnsTest = Conversation<Collected>;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

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

TEST_F(DnsTest, a_process_that_has_to_ask_twice_each_time_is_found) {
  for (std::uint16_t id = 0; id < 10; ++id) {
    asks(id * 1s, id, "a.example");
    asks(id * 1s + 300ms, id, "a.example");
    is_answered(id * 1s + 301ms, id, "a.example");
  }
  EXPECT_THAT(findings(), ElementsAre("dns.retries"));
}

// As many as a busy node asks: two servers, one of them farther away, processes with a short
// search, names that do not exist, a slow answer now and then, and a server that truncates a
// little.
TEST_F(DnsTest, ten_thousand_healthy_lookups_over_ten_minutes_are_no_finding) {
  std::mt19937_64 random(7);  // the same each time
  for (std::uint32_t i = 0; i < 10'000; ++i) {
    const MonotonicTime at = i * 60ms;
    const Packet query{.server = static_cast<std::uint8_t>(i % 3 == 0 ? 54 : 53),
                       .client_port = static_cast<std::uint16_t>(4000 + i % 7),
                       .pid = 100 + i % 20};
    Packet reply = query;
    reply.direction = TAPIO_DNS_RECEIVED;
    const auto id = static_cast<std::uint16_t>(i);
    const auto name = "host" + std::to_string(random() % 300) + ".example";
    const auto took = std::chrono::microseconds(500 + random() % 20'000);
    if (i % 4 == 0) {
      asks(at, id, name + ".default.svc.cluster.local", query);
      answers(at + 1ms, Wire::answer(id, name + ".default.svc.cluster.local", kA, kNxDomain),
              reply);
    }
    asks(at + 2ms, id, name, query);
    if (i % 500 == 0)
      answers(at + 900ms, with_address(id, name), reply);
    else if (i % 97 == 0)
      answers(at + 2ms + took, Wire::answer(id, name, kA, kNxDomain), reply);
    else if (i % 50 == 0)
      answers(at + 2ms + took, Wire::answer(id, name, kA, TAPIO_DNS_TC), reply);
    else
      answers(at + 2ms + took, with_address(id, name), reply);
    if (i % 16 == 0) observer_->on_tick(kStart + at, out_);
  }
  observer_->on_tick(kStart + 620s, out_);
  EXPECT_THAT(findings(), IsEmpty());
  EXPECT_THAT(out_.records, SizeIs(testing::Gt(12'000u)));
}

}  // namespace
}  // namespace tapio::dns
