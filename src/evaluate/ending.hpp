// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>

#include "evaluate/story.hpp"

namespace tapio {

// Who or what ended a process.
enum class By : std::uint8_t {
  process,         // another process, with a signal
  self,            // it sent itself a signal: abort(3), kill(getpid())
  fault,           // its own instruction
  timer,           // its own timer
  kernel,          // limits, seccomp, a closed pipe, hangup; SIGKILL without a reason that was seen
  terminal,        // the keys of its terminal
  namespace_init,  // the first process of its pid namespace ended
  parent_death,    // its parent ended, and it had asked for a signal then (PR_SET_PDEATHSIG)
  oom,             // the OOM killer
  passed_on,       // it exited with the status that its child died of, as shells do
  nobody,          // it exited by itself with a status that claims a signal
  unknown,
};
[[nodiscard]] std::string_view name(By by);

// A signal that asked it to end: SIGTERM, SIGINT, SIGHUP or SIGQUIT.
struct Asked {
  std::int32_t signal = 0;
  ProcessId sender;  // none: the kernel
  MonotonicTime time{};
  RecordId evidence{};
};

// The end of a process by a signal, with a status that claims one (128+n), or after it was asked to
// end; and why, as far as can be known.
struct Ending {
  ProcessId process;
  ProcessId parent;
  std::uint64_t cgroup_id = 0;
  MonotonicTime time{};
  std::int32_t signal = 0;  // that killed it; 0: it exited by itself
  std::int32_t code = 0;    // its status then

  By by = By::unknown;
  std::int32_t cause_signal = 0;     // which one it was, or claims to have been; 0: none
  ProcessId sender;                  // none: no process sent it, or it is not known which
  bool caught = false;               // it caught that signal, and ended by its own doing
  std::optional<Asked> asked;        // by `sender`, before
  bool main_process = false;         // the first of its container, or the main one of its unit
  std::chrono::nanoseconds lived{};  // before its end; 0: not known

  // As it may be told: with cause, confidence, chain, evidence and a severity. Rules decide whether
  // it is, and may say more.
  Story draft;
};

// Which folder of stories tells an ending, so that one at most does:
//   stories/graceful_stop     `caught`
//   stories/killed            process, self, timer, passed_on, nobody, unknown
//   stories/killed_by_kernel  fault, kernel, terminal, namespace_init, parent_death
//   stories/oom               oom
// Each may leave out what is ordinary.

}  // namespace tapio
