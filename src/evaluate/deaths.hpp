// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <list>
#include <string>
#include <unordered_map>

#include "facts/world.hpp"

namespace tapio {

// The end of a process by a signal, with a status that says so, or after it was asked to end.
struct Death {
  ProcessId process;
  ProcessId parent;
  MonotonicTime time{};
  RecordId evidence{};
  std::int32_t signal = 0;  // that killed it; 0: exited by itself
  std::int32_t code = 0;    // exit status then
  bool core_dumped = false;
  std::string name;
  std::uint64_t cgroup_id = 0;
  Death* elder = nullptr;    // the death before of a child of the same parent
  Death* younger = nullptr;  // the one after

  // The signal it died by, or says with its status 128+n that it did; 0: neither. Statuses of
  // real-time signals, 160 and above, are programs' own.
  [[nodiscard]] std::int32_t by() const;
};

// Lately ended processes, each once. A death is handed out when it has settled: when what happened
// before, and may come later, is known too.
class Deaths {
 public:
  static constexpr std::size_t kMaxDeaths = 4096;  // beyond: settles at once, then the oldest goes
  static constexpr std::size_t kMaxSiblings = 16;  // looked at to find the child that died
  // Losses are counted once a second.
  static constexpr std::chrono::nanoseconds kSettle = std::chrono::milliseconds(1200);
  static constexpr std::chrono::nanoseconds kRemembered = std::chrono::seconds(30);

  using Settled = std::function<void(const Death&)>;

  void note(Death death, const Settled& settled);
  void settle(MonotonicTime now, const Settled& settled);

  // The latest death of its children within `window` before its own that was, or says, `signal`.
  [[nodiscard]] const Death* child_of(const Death& parent, std::int32_t signal,
                                      std::chrono::nanoseconds window) const;
  [[nodiscard]] const Death* find(ProcessId process) const;
  [[nodiscard]] std::size_t size() const { return by_id_.size(); }

 private:
  void settle_first(const Settled& settled);
  void forget_first();

  std::list<Death> settling_, settled_;  // as they came
  std::unordered_map<ProcessId, Death*, ProcessIdHash> by_id_;
  std::unordered_map<ProcessId, Death*, ProcessIdHash> youngest_;  // by parent
};

}  // namespace tapio
