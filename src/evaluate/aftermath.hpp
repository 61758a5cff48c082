// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <deque>
#include <string>
#include <unordered_map>
#include <vector>

#include "evaluate/ending.hpp"
#include "evaluate/workload.hpp"

namespace tapio {

// What else ended when somebody ended, and what was started in its place: of late, bounded.
class Aftermath {
 public:
  static constexpr std::size_t kMaxExits = 4096;     // beyond: the oldest is no impact any more
  static constexpr std::size_t kMaxStarts = 4096;    // beyond: the oldest is no restart any more
  static constexpr std::size_t kMaxCgroups = 1024;   // made; beyond: the oldest is forgotten
  static constexpr std::size_t kMaxRestarts = 1024;  // beyond: the oldest is not counted any more
  static constexpr std::size_t kMaxLines = 8;        // of a story; the rest is a number
  static constexpr std::chrono::nanoseconds kWindow = std::chrono::seconds(30);  // after it
  static constexpr std::chrono::nanoseconds kBefore = std::chrono::seconds(2);
  static constexpr std::chrono::nanoseconds kCounted = std::chrono::minutes(10);

  void on_fact(const Fact& fact);
  void on_ending(const Ending& ending);

  // Of the process that the story is about: sentences, the restart first.
  [[nodiscard]] std::vector<std::string> of(const Story& story, const World& world);

 private:
  struct Exit {
    ProcessId process;
    std::uint64_t cgroup_id = 0;
    MonotonicTime time{};
    std::int32_t signal = 0;
    std::int32_t code = 0;
    std::string name;
    ProcessId sender;  // of the signal; none: not known, or none
    // Who forked it, as the World said when a story asked first: in a storm of deaths each story
    // asks for all of them. None: nobody asked yet, or it is not known.
    ProcessId parent;

    [[nodiscard]] bool abnormal() const { return signal != 0 || code > 128; }
  };
  struct Start {
    ProcessId process;
    MonotonicTime time{};
    // Hash of its executable, as the World said when a story asked first; 0: as above.
    std::size_t program = 0;
  };
  struct Made {
    std::uint64_t cgroup_id = 0;
    MonotonicTime time{};
  };
  struct Restart {
    ProcessId victim;
    ProcessId successor;
    MonotonicTime time{};
    bool forked = false;  // without an exec: a worker of a server that forks them
    std::string program;  // and where it runs
  };

  void on(const auto&) {}
  void on(const ProcessStarted& fact) { note_start(fact.process, fact.time); }
  void on(const ProcessExecuted& fact) { note_start(fact.process, fact.time); }
  void on(const ProcessExited& fact);
  void on(const CgroupCreated& fact);
  void note_start(ProcessId process, MonotonicTime time);
  [[nodiscard]] Exit* exit_of(ProcessId process) const;
  const Restart* restart_of(const Exit& victim, const World& world);
  [[nodiscard]] static bool may_be(Start& start, std::size_t program, const World& world);
  [[nodiscard]] std::string sentence(const Restart& restart, const Exit& victim,
                                     const World& world) const;
  // Of what it ran in, when that got a new cgroup; "": it did not.
  [[nodiscard]] std::string begun_again(const Exit& victim, const World& world) const;
  [[nodiscard]] static bool is_descendant(Exit& exit, ProcessId of, const World& world);
  [[nodiscard]] static std::string relation(Exit& exit, const Exit& own, const Workload& workload,
                                            const World& world);
  [[nodiscard]] static std::string sentence(const Exit& exit, const Exit& own, const World& world);
  [[nodiscard]] bool is_taken(ProcessId successor) const;
  [[nodiscard]] std::size_t count(const Restart& latest) const;

  std::deque<Exit> exits_;
  std::unordered_map<ProcessId, Exit*, ProcessIdHash> by_id_;
  std::deque<Start> starts_;
  std::deque<Restart> restarts_;
  std::deque<Made> made_;
};

}  // namespace tapio
