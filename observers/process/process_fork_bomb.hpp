// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <list>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/lru.hpp"
#include "process_config.hpp"
#include "process_report.hpp"

namespace tapio::process {

// Processes multiply: children fork children of the same program, generation after generation, and
// live. A parallel build runs other programs; a server forks many workers, but they do not fork.
class ForkBomb {
 public:
  static constexpr std::size_t kMaxNewborns = 4096;  // beyond: the eldest is no newborn any more
  static constexpr std::size_t kMaxAlarms = 256;     // of the kernel side, one for each cgroup
  static constexpr std::chrono::nanoseconds kAlarmWaits = std::chrono::seconds(1);
  static constexpr std::size_t kMaxTold = 256;  // origins held back from repetition
  static constexpr std::chrono::nanoseconds kNewborn = std::chrono::seconds(5);
  // Generations, of a program that forks itself: 5 are 32 processes when each forks one.
  static constexpr std::uint32_t kDeep = 5;
  static constexpr std::uint32_t kVeryDeep = 16;  // then it does not matter how many children each
  // Looking for generations costs a walk over all newborns.
  static constexpr std::chrono::nanoseconds kLookAgain = std::chrono::milliseconds(50);
  static constexpr std::uint32_t kOrGrown = 8;  // or sooner, by one in so many more that live

  explicit ForkBomb(const Config& config) { configure(config); }
  void configure(const Config& config) {
    processes_ = config.detect_fork_bomb_processes;
    parents_ = config.detect_fork_bomb_parents;
  }

  void on(const ProcessStarted& fact, Output& out);
  void on(const ProcessExecuted& fact);
  void on(const ProcessExited& fact);
  // The kernel side counts too, and sees bombs of which forks were lost. What these lines can be
  // told of better, they are; the rest is told of its counts when a second has passed.
  void on(const Multiplied& fact);
  void on_tick(MonotonicTime now, Output& out);

 private:
  struct Newborn {
    ProcessId id, parent;
    MonotonicTime born{};
    RecordId evidence{};
    std::uint64_t cgroup_id = 0;
    std::string name;
    ProcessId origin;              // itself, when it runs another program than its parent
    std::size_t program{};         // hash of its executable
    std::uint32_t generation = 0;  // from the origin
    std::uint32_t children = 0;
    std::uint32_t gone = 0;  // of these: ended, had no children, and are no longer in the table
    bool living = true;
  };
  struct Origin {  // whose descendants are counted
    std::uint32_t members = 0;
    std::uint32_t living = 0;
    MonotonicTime looked{};  // when they were last walked over
    std::uint32_t then = 0;  // how many lived
  };
  // Descendants of one newborn, or all of one origin.
  struct Line {
    const Newborn* eldest = nullptr;  // of an origin: the first of them
    std::uint32_t members = 0;
    std::uint32_t living = 0;
    std::uint32_t parents = 0;  // of two or more
    std::uint32_t deepest = 0;  // generation
    std::string name;           // that the first child of the eldest was born with
    Because because;
  };

  struct Alarm {
    Multiplied fact;  // but for its name
    std::string name;
    Because because;
    bool waits = false;    // it is not told yet
    MonotonicTime told{};  // of this cgroup, by whomever
  };

  using Newborns = std::list<Newborn>;

  [[nodiscard]] Newborn* find(ProcessId id);
  void forget(MonotonicTime now);
  void erase(Newborns::iterator newborn);
  void join(const Newborn& newborn);
  void leave(const Newborn& newborn);
  static void add(Line& line, const Newborn& newborn);
  [[nodiscard]] bool is_bomb(const Line& line) const;
  [[nodiscard]] std::vector<Line> lines_of(ProcessId origin) const;
  void look(ProcessId id, Origin& origin, MonotonicTime now, Output& out);
  void tell(const Line& line, ProcessId eldest, MonotonicTime now, Output& out);
  static void tell(const Alarm& alarm, Output& out);

  std::uint32_t processes_ = 0;
  std::uint32_t parents_ = 0;
  Newborns newborns_;  // eldest first
  std::unordered_map<ProcessId, Newborns::iterator, ProcessIdHash> by_id_;
  std::unordered_map<ProcessId, Origin, ProcessIdHash> origins_;  // that have members
  Lru<ProcessId, Incident, ProcessIdHash> told_{kMaxTold};
  Lru<std::uint64_t, Alarm> alarms_{kMaxAlarms};  // by cgroup
  // Descendants of the eldest of a bomb that was told, also when they are no newborns any more: a
  // bomb that outgrows the table stays one bomb.
  Lru<ProcessId, ProcessId, ProcessIdHash> of_bomb_{kMaxNewborns};
};

}  // namespace tapio::process
