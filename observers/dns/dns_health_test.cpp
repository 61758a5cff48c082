// SPDX-License-Identifier: Apache-2.0
#include "dns_health.hpp"

#include <gmock/gmock.h>

#include <algorithm>
#include <cmath>
#include <random>

#include "collected.hpp"
#include "dns_conversation.hpp"
#include "dns_schemas.hpp"

namespace tapio::dns {
namespace {

using DnsTest = Conversation<Collected>;
using testing::IsEmpty;
using testing::SizeIs;

class HealthTest : public DnsTest {
 protected:
  std::vector<Record> metrics() const {
    std::vector<Record> list;
    for (const Record& record : out_.records)
      if (record.schema == &kServerHealth) list.push_back(record);
    return list;
  }
  std::uint64_t number(std::string_view field) const {
    return out_.get<std::uint64_t>(field).value_or(std::uint64_t(-1));
  }
  std::chrono::nanoseconds duration(std::string_view field) const {
    return out_.get<std::chrono::nanoseconds>(field).value_or(-1ns);
  }
};

TEST_F(HealthTest, a_server_that_was_asked_is_told_of_when_the_interval_is_over) {
  std::uint16_t id = 0;
  for (const std::uint16_t flags : {0, 0, 3, 2, 5, 4, int{TAPIO_DNS_TC}}) {
    asks(id * 10ms, id, "a.example");
    is_answered(id * 10ms + 1ms + id * 100us, id, "a.example", flags);
    id++;
  }
  asks(100ms, 100, "b.example");  // again, and again, and never answered
  asks(200ms, 100, "b.example");
  observer_->on_tick(kStart + 7500ms, out_);
  EXPECT_THAT(metrics(), IsEmpty());
  observer_->on_tick(kStart + 10s, out_);
  EXPECT_THAT(metrics(), IsEmpty()) << "it began with the first answer";
  observer_->on_tick(kStart + 10001ms, out_);
  ASSERT_THAT(metrics(), SizeIs(1));
  EXPECT_EQ(out_.records.back().origin.event_class, TAPIO_BULK);
  EXPECT_EQ(out_.text("server.address"), "192.0.2.53");
  EXPECT_EQ(number("server.port"), 53u);
  EXPECT_EQ(duration("window"), 10s);
  EXPECT_EQ(number("dns.lookups"), 8u);
  EXPECT_EQ(number("dns.lookups.answered"), 7u);
  EXPECT_EQ(number("dns.lookups.noerror"), 3u);
  EXPECT_EQ(number("dns.lookups.nxdomain"), 1u);
  EXPECT_EQ(number("dns.lookups.servfail"), 1u);
  EXPECT_EQ(number("dns.lookups.refused"), 1u);
  EXPECT_EQ(number("dns.lookups.other_code"), 1u);
  EXPECT_EQ(number("dns.lookups.truncated"), 1u);
  EXPECT_EQ(number("dns.lookups.unanswered"), 1u);
  EXPECT_EQ(number("dns.lookups.unknown"), 0u);
  EXPECT_EQ(number("dns.lookups.repeated"), 1u);
  EXPECT_EQ(duration("dns.latency.min"), 1ms);
  EXPECT_EQ(duration("dns.latency.mean"), 1300us);
  EXPECT_EQ(duration("dns.latency.max"), 1600us);
  observer_->on_tick(kStart + 100s, out_);
  EXPECT_THAT(metrics(), SizeIs(1)) << "nobody asked since";
}

TEST_F(HealthTest, lookups_whose_records_are_held_back_count) {
  Config config;
  config.rate_per_second = 1;
  config.keep_one_in = 0;
  observer_.emplace(config);
  for (std::uint16_t id = 0; id < 100; ++id) {
    asks(id * 1ms, id, "a.example");
    is_answered(id * 1ms + 500us, id, "a.example");
  }
  observer_->on_tick(kStart + 20s, out_);
  EXPECT_THAT(out_.records, SizeIs(2));
  EXPECT_EQ(number("dns.lookups"), 100u);
}

TEST_F(HealthTest, without_an_answer_there_is_no_latency) {
  asks(0ms, 1, "a.example");
  observer_->on_tick(kStart + 7s, out_);
  observer_->on_tick(kStart + 17s, out_);
  ASSERT_THAT(metrics(), SizeIs(1));
  EXPECT_EQ(number("dns.lookups.unanswered"), 1u);
  EXPECT_FALSE(out_.known("dns.latency.p50"));
}

TEST(Health, servers_beyond_the_bound_are_one_series) {
  Health health(10s);
  Collected out;
  for (std::size_t i = 0; i < Health::kMaxServers + 3; ++i) {
    Lookup lookup{.outcome = Outcome::unanswered, .concluded = kStart};
    lookup.query.server = {.port = static_cast<std::uint16_t>(i + 1)};
    health.on(lookup);
  }
  health.on_tick(kStart + 10s, out);
  ASSERT_THAT(out.records, SizeIs(Health::kMaxServers + 1));
  EXPECT_EQ(out.text("server.address"), "other");
  EXPECT_FALSE(out.known("server.port"));
  EXPECT_EQ(out.get<std::uint64_t>("dns.lookups"), 3u);
}

TEST(Histogram, quantiles_are_off_by_a_sixteenth_at_most) {
  std::mt19937_64 random(7);  // the same each time
  std::vector<std::int64_t> exact;
  Histogram histogram;
  for (int i = 0; i < 20'000; ++i) {
    const auto bits = 14 + random() % 22;  // 16 us to 69 s
    const auto ns =
        static_cast<std::int64_t>((std::uint64_t{1} << bits) + (random() >> (64 - bits)));
    exact.push_back(ns);
    histogram.add(std::chrono::nanoseconds(ns));
  }
  std::ranges::sort(exact);
  for (const double part : {0.01, 0.1, 0.5, 0.9, 0.99, 0.999}) {
    const auto at = static_cast<std::size_t>(std::ceil(part * 20'000)) - 1;
    const auto told = static_cast<double>(histogram.quantile(part).count());
    const auto off = std::abs(told / static_cast<double>(exact[at]) - 1);
    EXPECT_LE(off, 1 / 16.0) << part;
  }
  EXPECT_EQ(histogram.least().count(), exact.front());
  EXPECT_EQ(histogram.most().count(), exact.back());
  EXPECT_EQ(histogram.count(), 20'000u);
}

TEST(Histogram, has_a_place_for_whatever_is_measured) {
  Histogram histogram;
  EXPECT_EQ(histogram.mean(), 0ns);
  EXPECT_EQ(histogram.quantile(0.5), 0ns);
  histogram.add(0ns);
  EXPECT_EQ(histogram.quantile(1), 0ns);
  histogram.add(std::chrono::hours(100));
  EXPECT_EQ(histogram.most(), std::chrono::hours(100));
  EXPECT_GE(histogram.quantile(1), std::chrono::seconds(120));
}

}  // namespace
}  // namespace tapio::dns
