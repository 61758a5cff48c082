// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "base/result.hpp"

namespace tapio {

// What a process holds in the kernel, by id.
struct KernelObjects {
  std::set<std::uint32_t> programs, maps;

  // By its descriptors (proc_pid_fdinfo(5)): of BPF programs, maps and links.
  static KernelObjects of(pid_t pid);
  // Those that exist still, whoever holds them.
  [[nodiscard]] KernelObjects remaining() const;
  [[nodiscard]] bool empty() const { return programs.empty() && maps.empty(); }
};

// The real agent, run by the real program, asked by the real commands. Killed at the end if it has
// not been stopped.
class Agent {
 public:
  // Returns when the agent answers, and knows what was there before it.
  static Result<Agent> start(std::string program, std::chrono::milliseconds patience);
  Agent(Agent&& other) noexcept;
  Agent& operator=(Agent&&) = delete;
  ~Agent();

  [[nodiscard]] pid_t pid() const { return pid_; }
  [[nodiscard]] std::chrono::milliseconds ready_after() const { return ready_after_; }
  // What `tapio stories --json` prints.
  [[nodiscard]] Result<std::string> stories() const;
  // Which of these records `tapio query` does not find in the agent's store; waits for them.
  [[nodiscard]] Result<std::vector<std::string>> not_in_store(std::vector<std::string> ids) const;
  // What `tapio run -o json` has printed so far.
  [[nodiscard]] std::string records() const;

  // By SIGINT. What did not end well is the error; else what it held in the kernel, all of it gone.
  Result<KernelObjects> stop();
  // The last lines of its log.
  [[nodiscard]] std::string log_tail() const;

 private:
  explicit Agent(std::string program, std::chrono::milliseconds patience)
      : program_(std::move(program)), patience_(patience) {}
  Status make_folder();
  Status launch();
  Status wait_until_it_answers();
  Result<std::string> ask(const char* command) const;

  std::string program_;
  std::chrono::milliseconds patience_;
  std::string folder_;  // of socket, log and records; "": none yet
  pid_t pid_ = 0;       // 0: not running
  std::chrono::milliseconds ready_after_{};
};

}  // namespace tapio
