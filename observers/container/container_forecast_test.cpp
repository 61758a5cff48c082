// SPDX-License-Identifier: Apache-2.0
#include "container_forecast.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <functional>
#include <random>
#include <sstream>

namespace tapio::container {
namespace {

using namespace std::chrono_literals;

constexpr double kMiB = 1 << 20;
constexpr double kLimit = 100 * kMiB;

CgroupMemory reading(double second, double bytes, double reclaimable = 0, std::uint64_t kills = 0) {
  return {.time = std::chrono::duration_cast<std::chrono::nanoseconds>(
              std::chrono::duration<double>(second + 1000)),
          .cgroup_id = 7,
          .usage = static_cast<std::uint64_t>(bytes),
          .max = static_cast<std::uint64_t>(kLimit),
          .reclaimable = static_cast<std::uint64_t>(reclaimable),
          .swap = 0,
          .swap_max = 0,
          .oom_kills = kills};
}

// Of a load that is given by its bytes at a second.
struct Seen {
  std::vector<double> predicted;  // seconds
  std::vector<Forecast> forecasts;
  std::vector<ForecastEnd> ended;
};
Seen watch(double seconds, const std::function<double(double)>& bytes) {
  Forecaster forecaster;
  Seen seen;
  for (double at = 0; at <= seconds; ++at) {
    const auto news = forecaster.take(reading(at, bytes(at)), 0);
    if (news.predicted) {
      seen.predicted.push_back(at);
      seen.forecasts.push_back(forecaster.forecast());
    }
    if (news.ended != ForecastEnd::none) seen.ended.push_back(news.ended);
  }
  return seen;
}

TEST(Trend, of_a_line_is_its_slope_and_one_bad_reading_does_not_matter) {
  std::vector<Load> loads;
  for (int i = 0; i < 10; ++i) loads.push_back({std::chrono::seconds(i), 100.0 + 5 * i});
  const auto line = trend_of(loads);
  ASSERT_TRUE(line);
  EXPECT_DOUBLE_EQ(line->middle, 5);
  EXPECT_DOUBLE_EQ(line->low, 5);
  EXPECT_DOUBLE_EQ(line->now, 145);
  loads[4].bytes = 10'000;
  const auto bent = trend_of(loads);
  EXPECT_DOUBLE_EQ(bent->middle, 5);
  EXPECT_DOUBLE_EQ(bent->now, 145);
}

TEST(Trend, wants_two_readings_at_different_times) {
  EXPECT_FALSE(trend_of({}));
  const std::vector<Load> one{{1s, 1}}, same{{1s, 1}, {1s, 2}};
  EXPECT_FALSE(trend_of(one));
  EXPECT_FALSE(trend_of(same));
}

TEST(Forecaster, linear_ramps_of_all_speeds_are_predicted_with_the_truth_in_the_band) {
  for (const double seconds : {30.0, 40.0, 60.0, 100.0, 300.0}) {
    const auto seen =
        watch(seconds, [&](double at) { return kLimit * (0.2 + 0.8 * at / seconds); });
    ASSERT_EQ(seen.predicted.size(), 1u) << seconds;
    const double left = seconds - seen.predicted[0];
    EXPECT_GE(left, 10) << seconds;
    const auto& forecast = seen.forecasts[0];
    EXPECT_LE(forecast.earliest, std::chrono::duration<double>(left)) << seconds;
    EXPECT_GE(forecast.latest, std::chrono::duration<double>(left)) << seconds;
    EXPECT_LE(forecast.left, 60s) << "no more than a minute ahead";
  }
}

TEST(Forecaster, what_is_stable_or_noisy_is_never_predicted) {
  std::mt19937 random(1);
  for (const double level : {0.3, 0.7, 0.95}) {
    EXPECT_TRUE(watch(600, [&](double) { return kLimit * level; }).predicted.empty());
    for (const double noise : {0.02, 0.1, 0.2}) {
      std::uniform_real_distribution<double> chance(-noise, noise);
      const auto seen =
          watch(600, [&](double) { return kLimit * std::min(level + chance(random), 0.999); });
      EXPECT_TRUE(seen.predicted.empty()) << level << " " << noise << " at " << seen.predicted[0];
    }
  }
}

// As the loads of the trial: another level each time, by chance, for less than two minutes.
TEST(Forecaster, chance_is_hardly_ever_taken_for_growth) {
  std::mt19937 random(3);
  int said = 0, runs = 0;
  for (const auto& [level, noise] :
       {std::pair(0.7, 0.03), std::pair(0.6, 0.1), std::pair(0.85, 0.05), std::pair(0.75, 0.15)}) {
    std::uniform_real_distribution<double> chance(-noise, noise);
    for (int i = 0; i < 250; ++i, ++runs)
      said +=
          !watch(105, [&](double) { return kLimit * (level + chance(random)); }).predicted.empty();
  }
  std::printf("    %d of %d noisy loads were predicted\n", said, runs);
  EXPECT_LE(said, runs / 100);
}

TEST(Forecaster, noise_on_a_ramp_does_not_hide_it) {
  std::mt19937 random(2);
  std::normal_distribution<double> noise(0, 0.015);
  int early = 0;
  for (int i = 0; i < 20; ++i) {
    const auto seen = watch(
        50, [&](double at) { return kLimit * std::min(0.2 + 0.8 * at / 50 + noise(random), 1.0); });
    early += !seen.predicted.empty() && seen.predicted[0] <= 40;
  }
  EXPECT_GE(early, 18);
}

TEST(Forecaster, page_cache_that_fills_the_limit_is_no_growth) {
  Forecaster forecaster;
  for (double at = 0; at < 300; ++at) {
    const double cache = kLimit * std::min(0.65, at * 0.02);
    EXPECT_FALSE(forecaster.take(reading(at, 0.35 * kLimit + cache, cache), 0).predicted) << at;
  }
}

TEST(Forecaster, growth_that_displaces_page_cache_at_the_limit_is_seen) {
  Forecaster forecaster;
  double predicted = -1;
  for (double at = 0; at <= 60 && predicted < 0; ++at) {
    const double kept = kLimit * (0.2 + 0.8 * at / 60);
    if (forecaster.take(reading(at, kLimit, kLimit - kept), 0).predicted) predicted = at;
  }
  EXPECT_GT(predicted, 0);
  EXPECT_LE(predicted, 50);
}

TEST(Forecaster, a_heap_that_is_collected_is_predicted_once_at_most) {
  const auto seen =
      watch(600, [](double at) { return kLimit * (0.5 + 0.35 * std::fmod(at, 30) / 30); });
  EXPECT_LE(seen.predicted.size(), 1u);
}

TEST(Forecaster, a_heap_that_is_collected_and_leaks_is_predicted_when_it_is_higher_than_ever) {
  const auto seen = watch(400, [](double at) {
    return std::min(kLimit, kLimit * (0.3 + at * 0.002 + 0.3 * std::fmod(at, 20) / 20));
  });
  EXPECT_GE(seen.predicted.size(), 1u);
}

TEST(Forecaster, a_step_is_not_predicted) {
  EXPECT_TRUE(
      watch(60, [](double at) { return at < 50 ? 0.3 * kLimit : kLimit; }).predicted.empty());
}

TEST(Forecaster, an_incident_ends_with_the_growth_and_another_one_begins_above_it) {
  const auto seen = watch(200, [](double at) {
    if (at < 60) return kLimit * (0.3 + 0.5 * at / 60);
    if (at < 120) return 0.8 * kLimit;
    return kLimit * std::min(1.0, 0.8 + 0.2 * (at - 120) / 40);
  });
  ASSERT_EQ(seen.predicted.size(), 2u);
  ASSERT_GE(seen.ended.size(), 1u);
  EXPECT_EQ(seen.ended[0], ForecastEnd::calm);
}

TEST(Forecaster, an_incident_ends_with_a_kill_and_with_memory_that_is_given_back) {
  for (const bool kill : {true, false}) {
    Forecaster forecaster;
    double at = 0;
    while (!forecaster.predicted() && at < 100) {
      (void)forecaster.take(reading(at, kLimit * (0.4 + at / 100)), 0);
      ++at;
    }
    ASSERT_TRUE(forecaster.predicted());
    const auto news = forecaster.take(reading(at, 0.1 * kLimit, 0, kill ? 1 : 0), 0);
    EXPECT_EQ(news.ended, kill ? ForecastEnd::oom_kill : ForecastEnd::freed);
  }
}

TEST(Forecaster, a_limit_that_is_raised_ends_it) {
  Forecaster forecaster;
  double at = 0;
  const auto at_second = [&](double max) {
    auto each = reading(at, kLimit * (0.4 + at / 100));
    each.max = static_cast<std::uint64_t>(max);
    return each;
  };
  for (; !forecaster.predicted() && at < 100; ++at) (void)forecaster.take(at_second(kLimit), 0);
  ForecastEnd ended{};
  for (double until = at + 30; ended == ForecastEnd::none && at < until; ++at)
    ended = forecaster.take(at_second(10 * kLimit), 0).ended;
  EXPECT_EQ(ended, ForecastEnd::raised);
}

TEST(Forecaster, swap_that_it_may_use_counts_as_room) {
  Forecaster forecaster;
  for (double at = 0; at < 60; ++at) {
    auto each = reading(at, kLimit * (0.4 + 0.01 * at));
    each.swap_max = kNoLimit;
    EXPECT_FALSE(forecaster.take(each, static_cast<std::uint64_t>(100 * kLimit)).predicted);
  }
}

TEST(Forecaster, tasks_that_wait_already_make_one_look_enough) {
  Forecaster calm, pressed;
  double calm_at = 0, pressed_at = 0;
  for (double at = 0; at < 60; ++at) {
    auto each = reading(at, kLimit * (0.4 + 0.01 * at));
    if (calm.take(each, 0).predicted) calm_at = at;
    each.pressure = Pressure{.some = 50};
    if (pressed.take(each, 0).predicted) pressed_at = at;
  }
  EXPECT_EQ(pressed_at + 1, calm_at);
}

TEST(Forecaster, without_a_limit_or_without_memory_stat_nothing_is_said) {
  Forecaster forecaster;
  for (double at = 0; at < 60; ++at) {
    auto each = reading(at, kLimit * (0.4 + 0.01 * at));
    if (at < 30) each.max = kNoLimit;
    if (at >= 30) each.reclaimable.reset();
    EXPECT_FALSE(forecaster.take(each, 0).predicted);
  }
}

TEST(Forecaster, times_that_go_back_are_passed_over) {
  Forecaster forecaster;
  for (const double at : {5.0, 4.0, 5.0, 5.0, 1.0})
    EXPECT_FALSE(forecaster.take(reading(at, kLimit), 0).predicted);
}

// Recorded by ./dev trial container/forecast --record, and on v2 by trials/ramps_v2.sh: real
// processes, real files. Lines of milliseconds, usage, what of it could be given back, processes
// killed so far and, on v2, percent of the last 10 s in which some task waited.
struct Ramp {
  std::string kind;
  double killed = -1;  // second; -1: it was not
  std::vector<CgroupMemory> readings;
};

Ramp read_ramp(const std::filesystem::path& path) {
  Ramp ramp;
  std::ifstream file(path);
  std::string head;
  std::getline(file, head);
  ramp.kind = head.substr(2, head.find(';') - 2);
  const auto limit = std::stoull(head.substr(head.find("limit ") + 6));
  if (const auto at = head.find("killed at "); at != head.npos)
    ramp.killed = std::stod(head.substr(at + 10));
  for (std::string line; std::getline(file, line);) {
    double ms = 0, some = 0;
    std::uint64_t usage = 0, reclaimable = 0, kills = 0;
    std::istringstream words(line);
    if (!(words >> ms >> usage >> reclaimable >> kills)) break;
    auto& each = ramp.readings.emplace_back(
        reading(ms / 1000, static_cast<double>(usage), static_cast<double>(reclaimable), kills));
    each.max = limit;
    if (words >> some) each.pressure = Pressure{.some = some};
  }
  return ramp;
}

TEST(Forecaster, of_recorded_ramps_nine_in_ten_are_predicted_ten_seconds_ahead) {
  int slow = 0, early = 0, predictions = 0, untrue = 0, files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(TAPIO_RAMPS)) {
    const auto ramp = read_ramp(entry.path());
    ASSERT_GT(ramp.readings.size(), 5u) << entry.path();
    files++;
    Forecaster forecaster;
    double first = -1;
    for (const auto& each : ramp.readings) {
      if (!forecaster.take(each, 0).predicted) continue;
      predictions++;
      untrue += ramp.killed < 0;
      if (first < 0) first = std::chrono::duration<double>(each.time).count() - 1000;
    }
    const bool is_slow = ramp.kind.starts_with("ramp");
    slow += is_slow;
    early += is_slow && first >= 0 && ramp.killed - first >= 10;
    if (is_slow) {
      EXPECT_GE(ramp.killed, 30) << entry.path();
    }
  }
  std::printf("    %d recordings: %d of %d slow ramps 10 s ahead; %d of %d predictions came true\n",
              files, early, slow, predictions - untrue, predictions);
  ASSERT_GE(slow, 10);
  EXPECT_GE(early * 10, slow * 9);
  EXPECT_LE(untrue * 10, predictions);
}

}  // namespace
}  // namespace tapio::container
