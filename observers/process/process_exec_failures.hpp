// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <deque>
#include <string>

#include "base/lru.hpp"
#include "process_config.hpp"
#include "process_report.hpp"

namespace tapio::process {

// Somebody tries again and again to start a program that cannot be started. One execve(2) that
// fails means nothing: looking along PATH is made of them. What counts is a process that ends
// without having started anything, or that begins again with the same file.
class ExecFailures {
 public:
  static constexpr std::size_t kMaxAttempts = 1024;  // beyond: the oldest is not counted
  static constexpr std::size_t kMaxLoops = 512;      // beyond: the one longest without failure goes
  static constexpr std::size_t kMaxFailures = 1024;  // in the window; beyond: the oldest goes
  static constexpr std::chrono::nanoseconds kWindow = std::chrono::seconds(60);
  // A service manager waits between two attempts, and does nothing for nothing.
  static constexpr std::size_t kBySupervisor = 3;
  // Without the name of the file: so many times more, at regular intervals, none longer than so
  // many times the mean.
  static constexpr std::size_t kTimesUnnamed = 2;
  static constexpr std::int64_t kRegular = 3;

  explicit ExecFailures(const Config& config) { configure(config); }
  void configure(const Config& config) { failures_ = config.detect_exec_failures; }

  void on(const ExecFailed& fact, Output& out);
  void on(const ProcessExecuted& fact) { attempts_.erase(fact.process); }
  void on(const ProcessExited& fact, Output& out);

 private:
  struct Attempt {
    ProcessId process, parent;
    std::string first, latest;  // files
    std::string name;           // comm, that of its parent
    std::int32_t error = 0, status = 0;
    std::uint64_t cgroup_id = 0;
    RecordId evidence{};
  };
  struct Loop {
    std::deque<MonotonicTime> recent;  // within the window
    MonotonicTime first{};             // of the incident, as are count and evidence
    std::uint64_t count = 0;
    Because because;
    Incident incident;
  };

  void failed(ProcessId who, const Attempt& attempt, MonotonicTime now, Output& out);
  static void note(Loop& loop, const Attempt& attempt, MonotonicTime now);
  [[nodiscard]] bool is_loop(const Loop& loop, ProcessId who, const Attempt& attempt,
                             const World& world) const;
  static void tell(const Loop& loop, ProcessId who, const Attempt& attempt, MonotonicTime now,
                   Output& out);

  std::size_t failures_ = 0;
  Lru<ProcessId, Attempt, ProcessIdHash> attempts_{kMaxAttempts};
  Lru<std::string, Loop> loops_{kMaxLoops};
  ProcessId counted_;  // the latest whose end was counted
};

}  // namespace tapio::process
