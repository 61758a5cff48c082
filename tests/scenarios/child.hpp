// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <chrono>
#include <string>
#include <vector>

#include "base/fd.hpp"
#include "base/result.hpp"

// Processes, one at a time: each is made, watched and ended by its pid.
namespace tapio {

struct Pipe {
  Fd reader, writer;

  static Result<Pipe> open();  // both ends close on exec
};

// In a new process: what it must not inherit. It dies with its parent by `last_signal`; signals
// have their defaults, no core file is written. `parent` is who forked it.
void settle_in(pid_t parent, int last_signal);

struct Stdio {
  int out = -1;  // -1: /dev/null
  int err = -1;
};
// Runs a program; returns when the exec is done. The first argument is looked up in PATH.
[[nodiscard]] Result<pid_t> execute(const std::vector<std::string>& args, const Stdio& stdio,
                                    int last_signal);

// Waits for the end of a child; its wait(2) status.
[[nodiscard]] Result<int> end_of(pid_t pid, std::chrono::milliseconds patience);
void kill_and_reap(pid_t pid);
// "exited with status 3", "was killed by SIGTERM"
[[nodiscard]] std::string status_in_words(int status);

struct Captured {
  int status = 0;  // as wait(2) has it
  std::string out, err;
};
inline constexpr std::size_t kMaxCaptured = 32 << 20;  // more is an error
[[nodiscard]] Result<Captured> capture(const std::vector<std::string>& args,
                                       std::chrono::milliseconds patience);

}  // namespace tapio
