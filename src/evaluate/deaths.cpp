// SPDX-License-Identifier: Apache-2.0
#include "evaluate/deaths.hpp"

#include <utility>

#include "evaluate/signal_memory.hpp"

namespace tapio {

std::int32_t Death::by() const {
  if (signal != 0) return signal;
  constexpr std::int32_t kBase = 128, kStandardSignals = 31;
  const auto said = code - kBase;
  return said <= kStandardSignals && can_kill(said) ? said : 0;
}

void Deaths::note(Death death, const Settled& settled) {
  if (by_id_.contains(death.process)) return;
  if (by_id_.size() >= kMaxDeaths) {
    if (settled_.empty()) settle_first(settled);
    forget_first();
  }
  Death& kept = settling_.emplace_back(std::move(death));
  by_id_.emplace(kept.process, &kept);
  if (!kept.parent) return;
  Death*& youngest = youngest_[kept.parent];
  kept.elder = std::exchange(youngest, &kept);
  if (kept.elder) kept.elder->younger = &kept;
}

void Deaths::settle(MonotonicTime now, const Settled& settled) {
  while (!settling_.empty() && settling_.front().time + kSettle <= now) settle_first(settled);
  while (!settled_.empty() && settled_.front().time + kRemembered < now) forget_first();
}

void Deaths::settle_first(const Settled& settled) {
  settled_.splice(settled_.end(), settling_, settling_.begin());
  settled(settled_.back());
}

// The first of all, so it has no elder.
void Deaths::forget_first() {
  const Death& first = settled_.front();
  if (first.younger)
    first.younger->elder = nullptr;
  else if (first.parent)
    youngest_.erase(first.parent);
  by_id_.erase(first.process);
  settled_.pop_front();
}

const Death* Deaths::find(ProcessId process) const {
  const auto found = by_id_.find(process);
  return found == by_id_.end() ? nullptr : found->second;
}

const Death* Deaths::child_of(const Death& parent, std::int32_t signal,
                              std::chrono::nanoseconds window) const {
  const auto found = youngest_.find(parent.process);
  const Death* child = found == youngest_.end() ? nullptr : found->second;
  const Death* latest = nullptr;
  for (std::size_t i = 0; child && i < kMaxSiblings; ++i, child = child->elder) {
    const bool fits =
        child->by() == signal && child->time <= parent.time && child->time + window >= parent.time;
    if (fits && (!latest || child->time > latest->time)) latest = child;
  }
  return latest;
}

}  // namespace tapio
