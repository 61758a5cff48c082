// SPDX-License-Identifier: Apache-2.0
#include "evaluate/signal_memory.hpp"

#include <algorithm>
#include <csignal>
#include <tuple>

namespace tapio {

bool can_kill(std::int32_t signal) {
  switch (signal) {
    case SIGCHLD:
    case SIGCONT:
    case SIGSTOP:
    case SIGTSTP:
    case SIGTTIN:
    case SIGTTOU:
    case SIGURG:
    case SIGWINCH:
      return false;
  }
  return signal > 0 && signal <= 64;
}

bool asks_to_end(std::int32_t signal) {
  return signal == SIGTERM || signal == SIGINT || signal == SIGHUP || signal == SIGQUIT;
}

void SignalMemory::note(const SignalSent& fact) {
  // lose_info: it got through, only its siginfo did not (trace/events/signal.h).
  const bool through =
      fact.result == SignalResult::delivered || fact.result == SignalResult::lose_info;
  if (!through || !can_kill(fact.signal) || !fact.target) return;
  Target& to = target(fact);
  const Shot shot{.time = fact.time, .evidence = fact.evidence, .lethal = fact.lethal};
  const auto same = std::ranges::find_if(to.sent, [&](const Sent& sent) {
    return sent.signal == fact.signal && sent.sender == fact.sender && sent.by == fact.by;
  });
  if (same != to.sent.end()) {
    if (shot.time < same->first.time) same->first = shot;
    const bool newer = shot.time >= same->latest.time;
    if (shot.lethal != same->latest.lethal ? shot.lethal : newer) same->latest = shot;
    return;
  }
  Sent* place = make_room(to, fact);
  if (!place) return;
  *place = {.sender = fact.sender,
            .sender_name = std::string(fact.sender_name),
            .sender_cgroup_id = fact.sender_cgroup_id,
            .target_cgroup_id = fact.target_cgroup_id,
            .signal = fact.signal,
            .code = fact.code,
            .by = fact.by,
            .first = shot,
            .latest = shot};
}

// nullptr: what is kept matters more.
Sent* SignalMemory::make_room(Target& target, const SignalSent& fact) const {
  if (target.sent.size() < limits_.per_target) return &target.sent.emplace_back();
  target.crowded = true;
  const auto worth = [](const Sent& sent) {
    return std::tuple(sent.signal == SIGKILL, sent.latest.lethal, sent.latest.time);
  };
  const auto least = std::ranges::min_element(target.sent, {}, worth);
  if (least->signal == SIGKILL || (least->latest.lethal && !fact.lethal)) return nullptr;
  return &*least;
}

SignalMemory::Target& SignalMemory::target(const SignalSent& fact) {
  const auto known = by_id_.find(fact.target);
  if (known != by_id_.end()) {
    targets_.splice(targets_.end(), targets_, known->second);
    known->second->latest = std::max(known->second->latest, fact.time);
    return *known->second;
  }
  if (by_id_.size() >= limits_.targets) {
    by_id_.erase(targets_.front().id);
    targets_.pop_front();
  }
  targets_.push_back({.id = fact.target, .latest = fact.time, .sent = {}});
  by_id_.emplace(fact.target, std::prev(targets_.end()));
  return targets_.back();
}

void SignalMemory::forget(MonotonicTime now) {
  while (!targets_.empty() && targets_.front().latest + limits_.remembered < now) {
    by_id_.erase(targets_.front().id);
    targets_.pop_front();
  }
}

std::span<const Sent> SignalMemory::to(ProcessId target) const {
  const auto known = by_id_.find(target);
  if (known == by_id_.end()) return {};
  return known->second->sent;
}

bool SignalMemory::crowded(ProcessId target) const {
  const auto known = by_id_.find(target);
  return known != by_id_.end() && known->second->crowded;
}

}  // namespace tapio
