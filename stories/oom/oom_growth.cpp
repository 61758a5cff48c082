// SPDX-License-Identifier: Apache-2.0
#include "oom_growth.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "evaluate/words.hpp"

namespace tapio::oom {

namespace {

using namespace std::chrono_literals;

constexpr auto kOneStep = 1500ms;  // between two readings, which are about a second apart
constexpr double kSteady = 0.9;    // of the end: what was there before is no growth
constexpr double kMostOfIt = 0.5;  // of the growth

struct Rise {
  std::uint64_t by = 0;
  std::chrono::nanoseconds within{};
};

Rise largest_rise(std::span<const MemoryPoint> points) {
  Rise largest;
  for (std::size_t i = 1; i < points.size(); ++i)
    if (points[i].usage > points[i - 1].usage && points[i].usage - points[i - 1].usage > largest.by)
      largest = {.by = points[i].usage - points[i - 1].usage,
                 .within = points[i].time - points[i - 1].time};
  return largest;
}

std::string rate(std::uint64_t bytes, std::chrono::nanoseconds time) {
  const double seconds = std::chrono::duration<double>(time).count();
  return size_in_words(static_cast<std::uint64_t>(static_cast<double>(bytes) / seconds)) + "/s";
}

}  // namespace

std::optional<std::string> growth(std::span<const MemoryPoint> points) {
  if (points.size() < 2) return {};
  const MemoryPoint& end = points.back();
  // The latest of the lowest: from there it went up for good.
  std::size_t low = 0;
  for (std::size_t i = 1; i < points.size(); ++i)
    if (points[i].usage <= points[low].usage) low = i;
  const MemoryPoint& start = points[low];
  const auto time = end.time - start.time;
  if (static_cast<double>(start.usage) >= kSteady * static_cast<double>(end.usage))
    return fmt::format("had been at {} or more for {}", size_in_words(points[low].usage),
                       in_words(end.time - points.front().time));
  const auto from_to =
      fmt::format("grew from {} to {}", size_in_words(start.usage), size_in_words(end.usage));
  if (time <= kOneStep) return from_to + ", in one step within " + in_words(time);
  const auto by = end.usage - start.usage;
  const Rise step = largest_rise(points.subspan(low));
  auto text = fmt::format("{} in {}, {}", from_to, in_words(time), rate(by, time));
  if (static_cast<double>(step.by) >= kMostOfIt * static_cast<double>(by) && time > 2 * step.within)
    text += fmt::format("; {} of it in one step within {}", size_in_words(step.by),
                        in_words(step.within));
  return text;
}

}  // namespace tapio::oom
