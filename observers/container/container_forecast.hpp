// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <optional>
#include <span>
#include <string_view>

#include "facts/cgroup.hpp"

// When a cgroup will have used all of its memory limit, if it goes on as it does. See ADR 41.
namespace tapio::container {

// What cannot be given back, at a time.
struct Load {
  MonotonicTime time{};
  double bytes = 0;
};

// How fast it grows: the middle of the slopes of all pairs that are far enough apart (Theil-Sen),
// and those of which one in ten is lower, and higher. Bytes a second.
struct Trend {
  double low = 0, middle = 0, high = 0;
  double now = 0;  // the load at the last reading, as the trend has it
};
// Nothing: too few readings, or no time between them.
[[nodiscard]] std::optional<Trend> trend_of(std::span<const Load> loads);

struct Forecast {
  MonotonicTime time{};
  std::chrono::nanoseconds left{}, earliest{}, latest{};  // from then on
  double slope = 0;                                       // bytes a second
  std::uint64_t load = 0, capacity = 0;  // bytes: what cannot be given back, and its bound
  std::size_t readings = 0;              // that it rests on
  std::chrono::nanoseconds over{};       // in which they were made
};

enum class ForecastEnd : std::uint8_t { none, oom_kill, calm, freed, raised };
[[nodiscard]] std::string_view name(ForecastEnd end);

// Watches the readings of one cgroup. One prediction for each incident; the incident ends when
// somebody was killed, or the growth has been over for a while.
class Forecaster {
 public:
  static constexpr std::chrono::seconds kHorizon{60};  // what lies further ahead is not told
  static constexpr std::chrono::seconds kOver{120};    // so far ahead again: it has ended
  static constexpr std::chrono::seconds kCalm{10};     // without growth: it has ended
  // Longer blurs what has changed, shorter sees growth in noise; of less than seven readings chance
  // makes growth (of 1000 noisy loads 23 with five, 6 with seven).
  static constexpr std::chrono::seconds kWindow{15};
  static constexpr std::chrono::seconds kOldest{60};  // of the few that are kept at least
  static constexpr std::size_t kFewest = 7, kMost = 24;
  static constexpr std::chrono::seconds kShortest{4};  // that readings have to span
  // Below that part of the limit, growth is what a start looks like.
  static constexpr double kFull = 0.6;
  // Of the limit: less than that in the window is nothing to see.
  static constexpr double kVisible = 0.02;
  // The slow end of the band, in parts of the middle: below it the band says nothing.
  static constexpr double kSteady = 0.25;
  // The band is so wide at least, in parts of the middle: what comes need not go on as it did,
  // however even it was.
  static constexpr double kBand = 0.1;
  // Of its slope, in the last readings: below it the growth has ended.
  static constexpr double kStillGrows = 0.3;
  static constexpr std::chrono::seconds kStill{3};
  // So many times in a row. Once is enough when tasks wait for memory already.
  static constexpr int kTimes = 2;
  static constexpr double kPressed = 10;  // percent of the last 10 s (PSI, some)
  // Of the limit: who gives back so much, and was not killed, is expected to do so again.
  static constexpr double kFall = 0.05;
  static constexpr std::chrono::minutes kPeakKept{10};
  static constexpr double kNear = 0.95;  // of the limit: from here on any new height counts
  static constexpr double kFreed = 0.2;  // of the limit, given back: the incident is over

  struct News {
    bool predicted = false;
    ForecastEnd ended = ForecastEnd::none;
  };
  // `node_swap_free` is what all of the node's swap has left.
  News take(const CgroupMemory& reading, std::uint64_t node_swap_free);

  [[nodiscard]] bool predicted() const { return predicted_; }
  // The one that was told; while it goes on, the newest.
  [[nodiscard]] const Forecast& forecast() const { return forecast_; }

 private:
  struct Measured {
    double load = 0, capacity = 0;
  };
  static std::optional<Measured> measure(const CgroupMemory& reading, std::uint64_t swap_free);
  void add(const Load& load);
  void note_fall(const Load& load, double capacity);
  [[nodiscard]] std::optional<Forecast> look(double capacity) const;
  [[nodiscard]] bool still_grows(double slope) const;
  [[nodiscard]] bool is_new_height(const Load& load, double capacity) const;
  News go_on(const std::optional<Forecast>& now, const Load& load, double capacity);
  News end(ForecastEnd why);
  void forget();

  std::deque<Load> loads_;
  double high_ = 0;  // since it last fell
  double peak_ = 0;  // from which it fell by itself
  MonotonicTime peak_time_{};
  std::optional<std::uint64_t> kills_;
  int times_ = 0;
  bool predicted_ = false;
  Forecast forecast_;
  double told_capacity_ = 0;
  double told_high_ = 0;  // of this incident
  MonotonicTime grew_{};  // of this incident, the latest growth
};

}  // namespace tapio::container
