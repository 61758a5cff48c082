// SPDX-License-Identifier: Apache-2.0
#include "container_forecast.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

namespace tapio::container {
namespace {

using Seconds = std::chrono::duration<double>;

double seconds(std::chrono::nanoseconds time) {
  return Seconds(time).count();
}

// At most an hour: what a slope near zero says of a time.
std::chrono::nanoseconds nanoseconds(double seconds) {
  constexpr double kMost = 3600;
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
      Seconds(std::clamp(seconds, 0.0, kMost)));
}

// The one of which `part` are smaller. Reorders them.
double quantile(std::vector<double>& values, double part) {
  const auto at = std::lround(part * static_cast<double>(values.size() - 1));
  std::nth_element(values.begin(), values.begin() + at, values.end());
  return values[static_cast<std::size_t>(at)];
}

constexpr double kLow = 0.1, kHigh = 0.9;  // of the slopes
constexpr double kApart = 1.0 / 3;         // of the window: nearer pairs are mostly noise

}  // namespace

std::string_view name(ForecastEnd end) {
  switch (end) {
    case ForecastEnd::none:
      return "none";
    case ForecastEnd::oom_kill:
      return "oom_kill";
    case ForecastEnd::calm:
      return "growth_ended";
    case ForecastEnd::freed:
      return "memory_freed";
    case ForecastEnd::raised:
      return "limit_raised";
  }
  return "none";
}

std::optional<Trend> trend_of(std::span<const Load> loads) {
  if (loads.size() < 2) return std::nullopt;
  const double span = seconds(loads.back().time - loads.front().time);
  if (span <= 0) return std::nullopt;
  std::vector<double> slopes;
  slopes.reserve(loads.size() * loads.size() / 2);
  for (std::size_t i = 0; i < loads.size(); ++i)
    for (std::size_t j = i + 1; j < loads.size(); ++j)
      if (const double apart = seconds(loads[j].time - loads[i].time); apart >= span * kApart)
        slopes.push_back((loads[j].bytes - loads[i].bytes) / apart);
  Trend trend;
  trend.middle = quantile(slopes, 0.5);
  trend.low = quantile(slopes, kLow);
  trend.high = quantile(slopes, kHigh);
  std::vector<double> ends;
  ends.reserve(loads.size());
  for (const Load& load : loads)
    ends.push_back(load.bytes + trend.middle * seconds(loads.back().time - load.time));
  trend.now = quantile(ends, 0.5);
  return trend;
}

// Page cache and slab are given back before somebody is killed; what is in swap is not.
std::optional<Forecaster::Measured> Forecaster::measure(const CgroupMemory& reading,
                                                        std::uint64_t swap_free) {
  if (reading.max == kNoLimit || reading.max == 0 || !reading.reclaimable) return std::nullopt;
  const auto swapped = static_cast<double>(reading.swap.value_or(0));
  const auto kept = reading.usage - std::min(reading.usage, *reading.reclaimable);
  // Of swap it may take what its limit and the node leave.
  const double room = std::min(static_cast<double>(reading.swap_max.value_or(kNoLimit)),
                               static_cast<double>(swap_free) + swapped);
  return Measured{.load = static_cast<double>(kept) + swapped,
                  .capacity = static_cast<double>(reading.max) + std::max(room, swapped)};
}

Forecaster::News Forecaster::take(const CgroupMemory& reading, std::uint64_t node_swap_free) {
  const bool killed = reading.oom_kills && kills_ && *reading.oom_kills > *kills_;
  if (reading.oom_kills) kills_ = reading.oom_kills;
  if (killed) {
    const News news = predicted_ ? end(ForecastEnd::oom_kill) : News{};
    forget();
    return news;
  }
  const auto measured = measure(reading, node_swap_free);
  if (!measured) return {};
  const Load load{.time = reading.time, .bytes = measured->load};
  if (!loads_.empty() && load.time <= loads_.back().time) return {};
  note_fall(load, measured->capacity);
  add(load);
  const auto now = look(measured->capacity);
  if (predicted_) return go_on(now, load, measured->capacity);
  if (!now || now->left > kHorizon || !is_new_height(load, measured->capacity)) {
    times_ = 0;
    return {};
  }
  const bool pressed = reading.pressure && reading.pressure->some >= kPressed;
  if (++times_ < kTimes && !pressed) return {};
  predicted_ = true;
  times_ = 0;
  forecast_ = *now;
  told_capacity_ = measured->capacity;
  told_high_ = load.bytes;
  grew_ = load.time;
  return {.predicted = true};
}

void Forecaster::add(const Load& load) {
  loads_.push_back(load);
  const auto is_old = [&] {
    const auto age = load.time - loads_.front().time;
    return loads_.size() > kMost || age > kOldest || (age > kWindow && loads_.size() > kFewest);
  };
  while (is_old()) loads_.pop_front();
}

// After a fall, what was before says nothing of how it goes on.
void Forecaster::note_fall(const Load& load, double capacity) {
  if (peak_time_.count() != 0 && load.time > peak_time_ + kPeakKept) peak_ = 0;
  if (load.bytes + kFall * capacity < high_) {
    peak_ = std::max(peak_, high_);
    peak_time_ = load.time;
    high_ = load.bytes;
    loads_.clear();
  }
  high_ = std::max(high_, load.bytes);
}

// Chance comes a little higher each time; but near the limit there is no room for that.
bool Forecaster::is_new_height(const Load& load, double capacity) const {
  const double clear = std::min(peak_ + kFall * capacity, kNear * capacity);
  return load.bytes > (peak_ == 0 ? 0 : std::max(peak_, clear));
}

bool Forecaster::still_grows(double slope) const {
  const Load& last = loads_.back();
  for (std::size_t i = loads_.size() - 1; i-- > 0;) {
    const auto apart = last.time - loads_[i].time;
    if (apart < kStill && i > 0) continue;
    return last.bytes - loads_[i].bytes >= kStillGrows * slope * seconds(apart);
  }
  return false;
}

std::optional<Forecast> Forecaster::look(double capacity) const {
  if (loads_.size() < kFewest || loads_.back().bytes < kFull * capacity) return std::nullopt;
  const auto over = loads_.back().time - loads_.front().time;
  if (over < kShortest) return std::nullopt;
  const std::vector<Load> loads(loads_.begin(), loads_.end());
  const auto trend = trend_of(loads);
  if (!trend) return std::nullopt;
  const double middle = trend->middle;
  if (middle * seconds(over) < kVisible * capacity || trend->low < kSteady * middle ||
      !still_grows(middle))
    return std::nullopt;
  const double room = std::max(capacity - trend->now, 0.0);
  return Forecast{.time = loads.back().time,
                  .left = nanoseconds(room / middle),
                  .earliest = nanoseconds(room / std::max(trend->high, middle * (1 + kBand))),
                  .latest = nanoseconds(room / std::min(trend->low, middle * (1 - kBand))),
                  .slope = middle,
                  .load = static_cast<std::uint64_t>(loads.back().bytes),
                  .capacity = static_cast<std::uint64_t>(capacity),
                  .readings = loads.size(),
                  .over = over};
}

Forecaster::News Forecaster::go_on(const std::optional<Forecast>& now, const Load& load,
                                   double capacity) {
  told_high_ = std::max(told_high_, load.bytes);
  const bool grows = now && now->left <= kOver;
  if (grows) {
    forecast_ = *now;
    grew_ = load.time;
  }
  if (told_high_ - load.bytes >= kFreed * capacity) return end(ForecastEnd::freed);
  if (load.time < grew_ + kCalm) return {};
  return end(capacity > told_capacity_ * (1 + kFall) ? ForecastEnd::raised : ForecastEnd::calm);
}

// It has been as high, and nothing happened: the next prediction is about more than that.
Forecaster::News Forecaster::end(ForecastEnd why) {
  predicted_ = false;
  times_ = 0;
  if (why != ForecastEnd::oom_kill) {
    peak_ = std::max(peak_, told_high_);
    peak_time_ = loads_.empty() ? grew_ : loads_.back().time;
  }
  return {.predicted = false, .ended = why};
}

// Who was killed gave it back, and not by himself.
void Forecaster::forget() {
  loads_.clear();
  high_ = peak_ = 0;
  times_ = 0;
}

}  // namespace tapio::container
