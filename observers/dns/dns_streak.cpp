// SPDX-License-Identifier: Apache-2.0
#include "dns_streak.hpp"

#include <algorithm>

namespace tapio::dns {

namespace {

std::int64_t second_of(MonotonicTime time) {
  return std::chrono::duration_cast<std::chrono::seconds>(time).count();
}

}  // namespace

bool Repeat::due(MonotonicTime now) {
  if (told_ && now < *told_ + kPause) return false;
  told_ = now;
  return true;
}

void Streak::add(MonotonicTime time, RecordId evidence) {
  if (times_.size() >= kMaxTimes) times_.pop_front();
  times_.push_back(time);
  if (evidence_.size() >= kMax) evidence_.pop_front();
  evidence_.push_back(evidence);
}

void Streak::forget_before(MonotonicTime time) {
  while (!times_.empty() && times_.front() < time) times_.pop_front();
  while (evidence_.size() > times_.size()) evidence_.pop_front();
}

std::span<const std::string_view> Streak::evidence(Arena& arena) const {
  const auto list = arena.list(evidence_.size());
  std::ranges::transform(evidence_, list.begin(),
                         [&](RecordId id) { return arena.keep(id.text()); });
  return list;
}

void PerMinute::add(MonotonicTime now) {
  const auto number = second_of(now);
  Second& second = seconds_[static_cast<std::size_t>(number) % seconds_.size()];
  if (second.number != number) second = {.number = number};
  second.count++;
}

std::uint64_t PerMinute::count(MonotonicTime now, MonotonicTime since) const {
  const auto behind = std::max(second_of(now) - std::ssize(seconds_), second_of(since));
  std::uint64_t sum = 0;
  for (const Second& second : seconds_)
    if (second.number > behind) sum += second.count;
  return sum;
}

}  // namespace tapio::dns
