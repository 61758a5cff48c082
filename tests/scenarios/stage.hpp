// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <array>
#include <chrono>
#include <functional>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.hpp"

namespace tapio {

// Real processes for one scenario, and a list of what was done with them. Whoever is left at the
// end is killed; should the demo die before, the kernel does it.
class Stage {
 public:
  static constexpr std::size_t kMaxReported = 4;
  struct Actor {
    pid_t pid = 0;
    std::array<pid_t, kMaxReported> reported{};  // by its call of Ready
  };
  // Called once, in the new process or in one that it forked, when all is as the scenario wants it.
  // The numbers, at most kMaxReported, become Actor::reported.
  using Ready = std::function<void(std::initializer_list<pid_t>)>;
  // What the new process does; returns its exit status. There, this stage is a new and empty one.
  using Act = std::function<int(const Ready& ready)>;

  // What is done once those who were there before stand, and nothing has gone wrong yet.
  using Incident = std::function<Status()>;

  explicit Stage(std::chrono::milliseconds patience, Incident incident = {})
      : patience_(patience), incident_(std::move(incident)) {}
  Stage(const Stage&) = delete;
  Stage& operator=(const Stage&) = delete;
  ~Stage() { clear(); }

  // Forks a process with this comm, at most 15 bytes; returns when it is ready.
  Result<Actor> start(std::string_view name, const Act& act);
  // One that does nothing and waits to be killed.
  Result<pid_t> sleeper(std::string_view name);
  // Executes a program; its output is thrown away. Returns when the exec is done.
  Result<pid_t> run(const std::vector<std::string>& args);

  // To be called once by every scenario: those who were there before stand, and now it goes wrong.
  Status incident() { return incident_ ? std::exchange(incident_, {})() : Status{}; }

  // Wait for a process of this stage to end, and are errors when it ends otherwise.
  Status must_be_killed(pid_t pid, int signal);
  Status must_exit(pid_t pid, int status);
  // Waits until a child of `parent` has this comm.
  Result<pid_t> child_of(pid_t parent, std::string_view comm) const;

  // One line of the transcript. What the functions above do is noted by themselves.
  void note(std::string line) { notes_.push_back(std::move(line)); }
  [[nodiscard]] const std::vector<std::string>& notes() const { return notes_; }

 private:
  struct Living {
    pid_t pid;
    std::string name;
  };
  [[noreturn]] void perform(pid_t parent, std::string_view name, const Act& act, int ready);
  Result<int> end(pid_t pid);
  void clear();

  std::chrono::milliseconds patience_;
  Incident incident_;
  std::vector<Living> living_;
  std::vector<std::string> notes_;
};

// Of a process that has nothing left to do but to be killed.
[[noreturn]] void sleep_until_killed();

}  // namespace tapio
