// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "facts/process.hpp"
#include "record/finding.hpp"

// Something is wrong, as an observer's detector sees it: the fact behind a finding.
namespace tapio {

enum class Detection : std::uint8_t {
  signal_storm,          // `process` sends signals without end
  kill_chain,            // who was killed had killed before, and so on; `process` began it
  crash_loop,            // the same program dies again and again; `process` is the latest
  fork_bomb,             // processes multiply; `process` is the eldest of them
  exec_failure_loop,     // `process` tries to start a program that cannot be started
  signal_across_border,  // `process`, in a container, signals one outside of it
  privilege_gain,        // `process` may do more than before
  oom_predicted,         // `cgroup_id` will have used up its memory limit within `window`
};
[[nodiscard]] std::string_view name(Detection detection);

struct Detected {
  MonotonicTime time{};
  RecordId evidence{};  // the finding's record
  Detection what{};
  Severity severity = Severity::info;
  ProcessId process;
  std::string_view process_name;
  ProcessId other;  // whom it does it to, or who starts it again: as the kind says; may be none
  std::string_view other_name;
  std::uint64_t cgroup_id = 0;  // of `process`
  std::uint64_t count = 0;      // how often, within...
  std::chrono::nanoseconds window{};
  std::string_view executable;        // that crashes, or cannot be started; "": not known
  std::string_view detail;            // "SIGSEGV", "exit status 3", "No such file or directory"
  std::span<const RecordId> because;  // records that say so, oldest first
};

}  // namespace tapio
