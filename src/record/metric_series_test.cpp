// SPDX-License-Identifier: Apache-2.0
#include "record/metric_series.hpp"

#include <gtest/gtest.h>

namespace tapio {
namespace {

using namespace std::chrono_literals;

constexpr SchemaOf kLatency{"dns.latency",
                            Kind::metric,
                            "",
                            Field{"count", Type::u64, "", "", "1"},
                            Field{"dns.latency.p50", Type::duration, "", "", "s"},
                            Field{"dns.lookups", Type::u64, "", "", "1"},
                            Field{"dnsmasq.size", Type::u64, "", "", "By"}};

TEST(MetricNames, have_the_words_of_schema_and_field_once) {
  EXPECT_EQ(metric_name(kLatency, kLatency.fields[0]), "dns.latency.count");
  EXPECT_EQ(metric_name(kLatency, kLatency.fields[1]), "dns.latency.p50");
  EXPECT_EQ(metric_name(kLatency, kLatency.fields[2]), "dns.latency.lookups");
  EXPECT_EQ(metric_name(kLatency, kLatency.fields[3]), "dns.latency.dnsmasq.size");
}

Record at(MonotonicTime time, std::uint64_t count) {
  return kLatency({.time = time}, count, std::chrono::nanoseconds(count * 1s), std::monostate{},
                  std::monostate{});
}

TEST(MetricSeriesOf, sum_counts_and_keep_the_latest_of_the_rest) {
  MetricSeries all(2, 1s);
  all.add(at(2s, 3), "a");
  all.add(at(3s, 4), "a");
  const auto& counted = all.metrics().find("dns.latency.count")->second.series.find("a")->second;
  EXPECT_EQ(counted.value, 7);
  EXPECT_EQ(counted.since, 1s);
  EXPECT_EQ(counted.latest, 3s);
  EXPECT_EQ(all.metrics().find("dns.latency.p50")->second.series.find("a")->second.value, 4);
  EXPECT_EQ(all.metrics().size(), 2u) << "what is not known makes no metric";
}

constexpr SchemaOf kUsage{"test.usage", Kind::metric, "",
                          Field{"window", Type::duration, "", "", "s"},
                          Field{"size", Type::u64, "", "", "By"}};

TEST(MetricSeriesOf, hold_for_three_intervals_and_for_a_minute_at_least) {
  MetricSeries all(2, 1s);
  const auto until = [&](std::chrono::nanoseconds window) {
    all.add(kUsage({.time = 100s}, window, 5u), "a");
    return all.metrics().find("test.usage.size")->second.series.find("a")->second.until;
  };
  EXPECT_EQ(until(10s), 160s);
  EXPECT_EQ(until(100s), 400s);
  all.add(at(100s, 1), "a");
  EXPECT_EQ(all.metrics().find("dns.latency.p50")->second.series.find("a")->second.until, 160s);
}

TEST(MetricSeriesOf, tell_which_have_got_something_new) {
  MetricSeries all(2, 1s);
  all.add(at(2s, 3), "a");
  all.add(at(2s, 3), "b");
  all.clear_fresh();
  all.add(at(3s, 4), "b");
  const auto& series = all.metrics().find("dns.latency.count")->second.series;
  EXPECT_FALSE(series.find("a")->second.fresh);
  EXPECT_TRUE(series.find("b")->second.fresh);
}

TEST(MetricSeriesOf, begin_anew_after_they_were_silent_and_made_room) {
  MetricSeries all(1, 1s);
  all.add(at(2s, 3), "a");
  all.add(at(3s, 3), "b");
  const auto& metric = all.metrics().find("dns.latency.count")->second;
  ASSERT_TRUE(metric.overflow);
  EXPECT_EQ(metric.overflow->value, 3);
  all.add(at(20min, 5), "b");
  EXPECT_EQ(metric.series.find("b")->second.value, 5);
  EXPECT_EQ(metric.series.find("b")->second.since, 20min) << "its sum before is gone";
  EXPECT_FALSE(metric.series.contains("a"));
}

}  // namespace
}  // namespace tapio
