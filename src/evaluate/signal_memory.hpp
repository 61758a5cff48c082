// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <list>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "facts/world.hpp"

namespace tapio {

// Whether a process without a handler ends by it (signal(7)).
[[nodiscard]] bool can_kill(std::int32_t signal);
// SIGTERM, SIGINT, SIGHUP, SIGQUIT: they ask a process to end, and let it do so in its own way.
[[nodiscard]] bool asks_to_end(std::int32_t signal);

struct Shot {
  MonotonicTime time{};
  RecordId evidence{};
  bool lethal = false;
};

// Signals of one number that one sender got through to one target.
struct Sent {
  ProcessId sender;  // none: see `by`
  std::string sender_name;
  std::uint64_t sender_cgroup_id = 0;
  std::uint64_t target_cgroup_id = 0;
  std::int32_t signal = 0;
  std::int32_t code = 0;
  SignalClass by = SignalClass::unknown;
  Shot first;
  Shot latest;  // a lethal one is not displaced by one that is not
};

// Who sent what to whom lately. Bounded, so that a storm costs memory of one size.
class SignalMemory {
 public:
  static constexpr std::size_t kMaxTargets = 2048;  // beyond: the one longest without a signal goes
  static constexpr std::size_t kMaxPerTarget = 8;   // beyond: see note()
  static constexpr std::chrono::nanoseconds kRemembered = std::chrono::seconds(30);

  struct Limits {
    std::size_t targets = kMaxTargets;
    std::size_t per_target = kMaxPerTarget;
    std::chrono::nanoseconds remembered = kRemembered;
  };

  SignalMemory() : SignalMemory(Limits{}) {}
  explicit SignalMemory(Limits limits) : limits_(limits) {}

  // Keeps what may kill. When a target has too many senders the oldest goes, first of all one whose
  // signal was not lethal; never a SIGKILL, of which the first counts.
  void note(const SignalSent& fact);
  void forget(MonotonicTime now);

  [[nodiscard]] std::span<const Sent> to(ProcessId target) const;
  // Some of what was sent to it is not kept.
  [[nodiscard]] bool crowded(ProcessId target) const;
  [[nodiscard]] std::size_t targets() const { return by_id_.size(); }

 private:
  struct Target {
    ProcessId id;
    MonotonicTime latest{};
    bool crowded = false;
    std::vector<Sent> sent;
  };
  Target& target(const SignalSent& fact);
  [[nodiscard]] Sent* make_room(Target& target, const SignalSent& fact) const;

  Limits limits_;
  std::list<Target> targets_;  // longest without a signal first
  std::unordered_map<ProcessId, std::list<Target>::iterator, ProcessIdHash> by_id_;
};

}  // namespace tapio
