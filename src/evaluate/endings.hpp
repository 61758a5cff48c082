// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <deque>
#include <functional>
#include <string>

#include "evaluate/deaths.hpp"
#include "evaluate/ending.hpp"
#include "evaluate/losses.hpp"
#include "evaluate/signal_memory.hpp"

namespace tapio {

// The end of the first process of a pid namespace.
struct InitDeath {
  ProcessId process;
  std::uint64_t pid_namespace = 0;
  MonotonicTime time{};
  RecordId evidence{};
  std::string who;
};

struct OomKill {
  ProcessId victim;
  RecordId evidence{};
};

// What attribution rests on: the facts of late, bounded.
struct Witness {
  static constexpr std::size_t kMaxInits = 256;    // ended first processes of pid namespaces
  static constexpr std::size_t kMaxOomKills = 64;  // beyond: the oldest goes, unexplained
  // Who asks a process to end waits longer for it than a signal takes: TimeoutStopSec= of systemd
  // is 90 s, a pod has 30 s.
  static constexpr SignalMemory::Limits kRequests{
      .targets = 1024, .per_target = 4, .remembered = std::chrono::seconds(130)};

  SignalMemory signals;
  SignalMemory requests{kRequests};  // those that asks_to_end(), again
  Deaths deaths;
  std::deque<InitDeath> inits;
  std::deque<OomKill> oom_kills;
  Losses lost_deadly;
  Losses lost_others;  // signals that were not deadly when they were sent, among others
};

// Hands out each ending once, when it has settled.
class Endings {
 public:
  using Handed = std::function<void(const Ending&)>;

  void on_fact(const Fact& fact, const World& world, const Handed& handed);
  void on_time(MonotonicTime now, const World& world, const Handed& handed);

 private:
  void on(const auto&, const World&, const Handed&) {}  // of no use here
  void on(const ProcessExited& fact, const World& world, const Handed& handed);
  void on(const SignalSent& fact, const World& world, const Handed& handed);
  void on(const OomKilled& fact, const World& world, const Handed& handed);
  void on(const Lost& fact, const World& world, const Handed& handed);
  void note_init(const Death& death, const World& world);
  [[nodiscard]] Deaths::Settled attribute(const World& world, const Handed& handed) const;

  Witness witness_;
};

}  // namespace tapio
