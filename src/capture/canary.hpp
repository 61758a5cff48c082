// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/fd.hpp"
#include "base/result.hpp"

namespace tapio::capture {

// Proves that hooks fire. A child process makes one of each thing that has a harmless trigger: a
// signal taken by a handler, a fork, an exec, a death by signal, an exit. While it does, programs
// mark its events, and the intake holds them back.
class Canary {
 public:
  // Forks, so call it before there are threads. `song` is a program that ends by SIGKILL of its own
  // hand; it is run by a child of the child.
  static Result<Canary> hatch(std::vector<std::string> song);
  Canary(Canary&&) noexcept = default;
  Canary& operator=(Canary&&) = delete;
  ~Canary();

  // Once, after programs are attached. `mark` tells them whose events are the canary's; 0 is
  // nobody's. Takes some milliseconds, at most kPatience.
  using Mark = std::function<Status(std::uint32_t tgid)>;
  Status sing(const Mark& mark);
  static constexpr int kPatienceMs = 5000;

 private:
  Canary(pid_t pid, Fd orders, Fd answers)
      : pid_(pid), orders_(std::move(orders)), answers_(std::move(answers)) {}
  Result<pid_t> ask(char order);
  void release();

  pid_t pid_;
  Fd orders_, answers_;
};

}  // namespace tapio::capture
