// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <deque>
#include <functional>
#include <list>
#include <optional>
#include <string>
#include <vector>

#include "facts/world.hpp"

namespace tapio::oom {

// A fact's own copy of its texts and lists.
struct Killed {
  explicit Killed(const OomKilled& given);
  OomKilled fact;  // its views are empty; what they showed is here
  std::string name, running_name;
  std::vector<MemoryLevel> levels;
};

struct Consumer {
  std::uint32_t pid = 0;
  std::uint64_t rss = 0;  // bytes
  std::string name;
  std::uint64_t swap = 0, page_tables = 0;  // bytes
  std::int32_t score_adj = 0;
};

struct Reported {
  static constexpr std::size_t kMaxConsumers = 5;

  explicit Reported(const OomReported& given);
  OomReported fact;  // the same
  std::string victim_name, constraint, oom_memcg, task_memcg, invoker, group;
  std::vector<Consumer> consumers;  // largest first
  std::optional<Consumer> row;      // the victim's; none: it is not in the table
};

struct Exit {
  ProcessId process;
  MonotonicTime time{};
  RecordId evidence{};
  std::int32_t signal = 0, code = 0;
};

// One process that the kernel killed for want of memory, by whatever tells of it.
struct Victim {
  std::uint32_t pid = 0;
  ProcessId process;     // none: it is not known which process had the pid
  MonotonicTime time{};  // of the kill
  std::optional<Killed> killed;
  std::optional<Reported> reported;
  std::optional<Exit> exit;

  [[nodiscard]] std::string_view name() const;
};

// Joins what is told of the same victim. A victim is handed out when it has settled: when what the
// kernel logged, which is read once a second, is there too.
class Victims {
 public:
  static constexpr std::size_t kMaxVictims = 512;  // beyond: settles at once, then the oldest goes
  static constexpr std::size_t kMaxExits = 1024;   // by SIGKILL; beyond: the oldest goes
  static constexpr std::chrono::nanoseconds kSettle = std::chrono::milliseconds(2500);
  static constexpr std::chrono::nanoseconds kRemembered = std::chrono::seconds(30);
  // The log's clock is not quite the hooks'.
  static constexpr std::chrono::nanoseconds kApart = std::chrono::seconds(10);

  using Settled = std::function<void(const Victim&)>;

  void note(const OomKilled& fact, const Settled& settled);
  void note(const OomReported& fact, const World& world, const Settled& settled);
  void note(const ProcessExited& fact);
  void settle(MonotonicTime now, const Settled& settled);

  // The others that died of the same: in one report, or for one allocation.
  [[nodiscard]] std::vector<const Victim*> with(const Victim& victim) const;
  [[nodiscard]] std::size_t size() const { return settling_.size() + settled_.size(); }

 private:
  Victim* find(std::uint32_t pid, ProcessId process, MonotonicTime time);
  Victim& add(std::uint32_t pid, ProcessId process, MonotonicTime time, const Settled& settled);
  void settle_first(const Settled& settled);
  [[nodiscard]] const Exit* exit_of(std::uint32_t pid, MonotonicTime time) const;
  [[nodiscard]] ProcessId who_had(std::uint32_t pid, MonotonicTime time, const World& world) const;

  std::list<Victim> settling_, settled_;  // as they came
  std::deque<Exit> exits_;                // latest last
};

}  // namespace tapio::oom
