// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "base/lru.hpp"
#include "process_report.hpp"

namespace tapio::process {

// A process may do more than before. By a file that grants it, that is how sudo and ping work, and
// worth no more than a note. Without one, and without the right to, it is an attack.
class PrivilegeGain {
 public:
  static constexpr std::size_t kMaxTold = 512;  // held back from repetition; the oldest goes
  // An exec that was lost explains what is found later.
  static constexpr std::chrono::nanoseconds kDoubt = std::chrono::minutes(1);

  void on(const CredentialsChanged& fact, Output& out);
  void on(const Lost& fact);

 private:
  [[nodiscard]] Severity severity_of(const CredentialsChanged& fact) const;

  MonotonicTime lost_{};  // to the end of the latest loss of execs
  Lru<std::string, Incident> told_{kMaxTold};
};

}  // namespace tapio::process
