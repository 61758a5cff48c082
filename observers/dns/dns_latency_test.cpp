// SPDX-License-Identifier: Apache-2.0
#include "dns_latency.hpp"

#include <gmock/gmock.h>

#include <bit>
#include <deque>
#include <random>

#include "collected.hpp"
#include "dns_histogram.hpp"
#include "dns_observer.hpp"
#include "dns_schemas.hpp"
#include "record/json.hpp"

namespace tapio::dns {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

constexpr MonotonicTime kStart = std::chrono::seconds(1000);

// Written another way than the header that both sides have.
std::size_t bucket_by_search(std::uint64_t us) {
  std::size_t bucket = 0;
  for (std::uint64_t first = 0, width = 1; bucket + 1 < TAPIO_DNS_BUCKETS; ++bucket) {
    first += width;
    if (us < first) break;
    if (std::has_single_bit(first) && first > 16) width *= 2;
    if (first == 16) width = 2;
  }
  return bucket;
}

TEST(DnsBuckets, are_of_an_eighth_of_a_power_of_two_from_16_microseconds_on) {
  for (std::uint64_t us = 0; us < 5'000; ++us)
    ASSERT_EQ(tapio_dns_bucket(us * 1'000), bucket_by_search(us)) << us;
  std::mt19937_64 random(7);  // the same each time
  for (int i = 0; i < 10'000; ++i) {
    const auto ns = random() >> random() % 64;
    ASSERT_EQ(tapio_dns_bucket(ns), bucket_by_search(ns / 1'000)) << ns;
  }
}

TEST(DnsBuckets, have_a_place_for_whatever_there_is) {
  EXPECT_EQ(tapio_dns_bucket(0), 0u);
  EXPECT_EQ(tapio_dns_bucket(999), 0u);
  EXPECT_EQ(tapio_dns_bucket(1'000), 1u);
  EXPECT_EQ(tapio_dns_bucket(std::uint64_t{1} << 27 << 10), TAPIO_DNS_BUCKETS - 1u);
  EXPECT_EQ(tapio_dns_bucket(~std::uint64_t{0}), TAPIO_DNS_BUCKETS - 1u);
}

TEST(Histogram, of_counts_says_the_same_as_one_that_was_given_each_duration) {
  std::mt19937_64 random(7);  // the same each time
  Histogram exact;
  Histogram::Counts counts{};
  std::chrono::nanoseconds sum{};
  for (int i = 0; i < 10'000; ++i) {
    const std::chrono::nanoseconds took(20'000 + random() % 50'000'000);
    exact.add(took);
    counts.at(tapio_dns_bucket(static_cast<std::uint64_t>(took.count())))++;
    sum += took;
  }
  const Histogram histogram(counts, sum);
  EXPECT_EQ(histogram.count(), exact.count());
  EXPECT_EQ(histogram.mean(), exact.mean());
  for (const double part : {0.1, 0.5, 0.9})
    EXPECT_EQ(histogram.quantile(part), exact.quantile(part)) << part;
  EXPECT_LE(histogram.least(), exact.least());
  EXPECT_GE(histogram.most(), exact.most());
  EXPECT_LE(histogram.most(), exact.most() + exact.most() / 8);
}

TEST(Histogram, of_no_counts_is_empty) {
  const Histogram histogram({}, 0ns);
  EXPECT_EQ(histogram.count(), 0u);
  EXPECT_EQ(histogram.most(), 0ns);
  EXPECT_EQ(histogram.quantile(0.5), 0ns);
}

tapio_dns_latency_key key_of(std::uint8_t server, std::uint64_t cgroup_id) {
  return {.server = {192, 0, 2, server},
          .cgroup_id = cgroup_id,
          .server_port = 53,
          .ip_version = 4,
          .reserved = {}};
}

// What programs do, and how it is read.
class FakeKernel {
 public:
  void answered(const tapio_dns_latency_key& key, std::chrono::nanoseconds took) {
    auto& sums = entry_of(key);
    sums.total_ns += static_cast<std::uint64_t>(took.count());
    sums.buckets[tapio_dns_bucket(static_cast<std::uint64_t>(took.count()))]++;
  }
  tapio_dns_latency& entry_of(const tapio_dns_latency_key& key) {
    for (auto& [known, sums] : entries)
      if (is_same(known, key)) return sums;
    return entries.emplace_back(key, tapio_dns_latency{}).second;
  }
  KernelLatencies hands() {
    return {.read = [this] { return entries; },
            .remove =
                [this](const tapio_dns_latency_key& key) {
                  std::erase_if(entries, [&](const auto& e) { return is_same(e.first, key); });
                }};
  }
  std::vector<KernelLatencies::Entry> entries;

 private:
  static bool is_same(const tapio_dns_latency_key& a, const tapio_dns_latency_key& b) {
    return std::memcmp(&a, &b, sizeof a) == 0;
  }
};

class DnsLatency : public testing::Test {
 protected:
  void start(Outside& outside = live_outside()) {
    observer_.emplace(Config{}, TcpSight::unseen, Latencies(kernel_.hands(), outside, 10s));
    tick(0s);
  }
  void tick(MonotonicTime at) { observer_->on_tick(kStart + at, out_); }
  std::uint64_t count() const { return out_.get<std::uint64_t>("count").value_or(0); }
  std::chrono::nanoseconds duration(std::string_view field) const {
    return out_.get<std::chrono::nanoseconds>(field).value_or(-1ns);
  }

  // As they leave the agent, but for their ids.
  std::vector<std::string> written() const {
    std::vector<std::string> lines;
    for (Record record : out_.records) {
      record.id = {};
      append_json(lines.emplace_back(), record, {});
    }
    return lines;
  }

  FakeKernel kernel_;
  Collected out_;
  std::optional<DnsObserver> observer_;
};

TEST_F(DnsLatency, is_told_of_each_server_and_cgroup_when_the_interval_is_over) {
  start();
  for (int i = 0; i < 98; ++i) kernel_.answered(key_of(53, 7), 300us);
  for (int i = 0; i < 2; ++i) kernel_.answered(key_of(53, 7), 40ms);
  kernel_.answered(key_of(53, 8), 1ms);
  kernel_.answered(key_of(54, 7), 1ms);
  tick(9'999ms);
  EXPECT_THAT(out_.records, IsEmpty());
  tick(10s);
  ASSERT_THAT(out_.records, SizeIs(3));
  std::swap(out_.records.front(), out_.records.back());
  const Record& record = out_.records.back();
  EXPECT_EQ(record.schema, &kLatency);
  EXPECT_EQ(record.origin.cgroup_id, 7u);
  EXPECT_EQ(record.origin.time, kStart + 10s);
  EXPECT_EQ(record.origin.event_class, TAPIO_BULK);
  EXPECT_EQ(out_.text("server.address"), "192.0.2.53");
  EXPECT_EQ(out_.get<std::uint64_t>("server.port"), 53u);
  EXPECT_EQ(duration("window"), 10s);
  EXPECT_EQ(count(), 100u);
  EXPECT_EQ(duration("dns.latency.mean"), 1'094us);
  EXPECT_EQ(duration("dns.latency.p50"), 304us);
  EXPECT_EQ(duration("dns.latency.p90"), 304us);
  EXPECT_GE(duration("dns.latency.p99"), 37'500us);
  EXPECT_LE(duration("dns.latency.p99"), 42'500us);
  EXPECT_GE(duration("dns.latency.max"), 40ms);
  EXPECT_LE(duration("dns.latency.max"), 45ms);
  EXPECT_THAT(*out_.get<std::span<const std::string_view>>("dns.latency.buckets"),
              ElementsAre("256:98", "32768:2"));
}

TEST_F(DnsLatency, no_count_is_told_twice_and_none_is_lost) {
  start();
  std::uint64_t told = 0;
  for (int interval = 1; interval <= 5; ++interval) {
    for (int i = 0; i < interval; ++i) kernel_.answered(key_of(53, 7), i * 1ms);
    tick(interval * 10s);
    EXPECT_EQ(count(), static_cast<std::uint64_t>(interval));
    told += count();
  }
  EXPECT_EQ(told, 15u);
  tick(60s);
  EXPECT_THAT(out_.records, SizeIs(5)) << "nothing came";
}

TEST_F(DnsLatency, counts_that_go_round_are_told_as_what_came) {
  kernel_.entry_of(key_of(53, 7)).buckets[3] = ~0u;
  start();
  tick(10s);
  kernel_.entry_of(key_of(53, 7)).buckets[3] += 5;
  tick(20s);
  EXPECT_EQ(count(), 5u);
}

TEST_F(DnsLatency, a_histogram_that_is_still_makes_room_and_may_come_again) {
  start();
  kernel_.answered(key_of(53, 7), 1ms);
  kernel_.answered({}, 1ms);
  tick(10s);
  tick(10s + LatencyNews::kStill - 1s);
  EXPECT_THAT(kernel_.entries, SizeIs(2));
  tick(20s + LatencyNews::kStill);
  EXPECT_THAT(kernel_.entries, SizeIs(1)) << "that of all others stays";
  kernel_.answered(key_of(53, 7), 1ms);
  tick(30s + LatencyNews::kStill);
  EXPECT_THAT(out_.records, SizeIs(3));
  EXPECT_EQ(count(), 1u);
}

TEST_F(DnsLatency, what_had_no_room_is_told_as_other) {
  start();
  kernel_.answered({}, 1ms);
  tick(10s);
  ASSERT_THAT(out_.records, SizeIs(1));
  EXPECT_EQ(out_.text("server.address"), "other");
  EXPECT_FALSE(out_.known("server.port"));
  EXPECT_EQ(out_.records[0].origin.cgroup_id, 0u);
}

TEST_F(DnsLatency, a_reload_changes_the_interval) {
  start();
  kernel_.answered(key_of(53, 7), 1ms);
  auto section = config::section<Config>();
  section->as<Config>().health_interval = 1s;
  observer_->on_settings(*section);
  tick(1s);
  EXPECT_THAT(out_.records, SizeIs(1));
}

// Keeps answers, and gives them back without a look.
class Kept final : public Outside {
 public:
  std::string ask(std::string_view, const Look& look) override {
    if (!plays) return answers.emplace_back(look());
    auto answer = std::move(answers.front());
    answers.pop_front();
    return answer;
  }
  std::deque<std::string> answers;
  bool plays = false;
};

TEST_F(DnsLatency, a_replay_gives_the_same_records_without_a_kernel) {
  Kept kept;
  start(kept);
  for (std::uint8_t server = 1; server < 100; ++server)
    kernel_.answered(key_of(server, server % 7), server * 1ms);
  tick(10s);
  kernel_.answered(key_of(3, 3), 1ms);
  tick(20s);
  const auto live = written();
  ASSERT_THAT(live, SizeIs(100));

  kept.plays = true;
  kernel_.entries.clear();
  out_.records.clear();
  start(kept);
  tick(10s);
  tick(20s);
  EXPECT_EQ(written(), live);
}

TEST(LatencyNews, of_a_full_table_fits_into_one_message_of_a_recording) {
  constexpr std::size_t kMessage = 1 << 20;
  FakeKernel kernel;
  for (std::uint64_t i = 0; i < TAPIO_DNS_LATENCIES; ++i) {
    tapio_dns_latency_key key{.cgroup_id = ~i, .server_port = 65535, .ip_version = 6};
    std::ranges::fill(key.server, std::uint8_t{255});
    auto& sums = kernel.entries.emplace_back(key, tapio_dns_latency{.total_ns = ~i}).second;
    std::ranges::fill(sums.buckets, ~0u);
  }
  LatencyNews news(kernel.hands());
  const auto bytes = news.take(kStart);
  EXPECT_LT(bytes.size(), kMessage * 3 / 4);
  EXPECT_THAT(latencies_of(bytes), SizeIs(TAPIO_DNS_LATENCIES));
}

TEST(LatencyNews, of_strange_bytes_is_what_fits_and_never_more_than_the_bound) {
  FakeKernel kernel;
  kernel.answered(key_of(53, 7), 1ms);
  LatencyNews news(kernel.hands());
  const auto one = news.take(kStart);
  for (std::size_t size = 0; size < one.size(); ++size)
    EXPECT_THAT(latencies_of(one.substr(0, size)), IsEmpty()) << size;
  EXPECT_THAT(latencies_of(one + std::string(50, '\xff')), SizeIs(1));
  EXPECT_THAT(latencies_of(one + std::string(5'000, '\0')), SizeIs(1));
  std::string many;
  for (int i = 0; i < 2 * TAPIO_DNS_LATENCIES; ++i) many += one;
  EXPECT_THAT(latencies_of(many), SizeIs(TAPIO_DNS_LATENCIES + 1));
}

}  // namespace
}  // namespace tapio::dns
