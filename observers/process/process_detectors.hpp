// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "process_border.hpp"
#include "process_crash_loop.hpp"
#include "process_exec_failures.hpp"
#include "process_fork_bomb.hpp"
#include "process_kill_chain.hpp"
#include "process_privilege_gain.hpp"
#include "process_signal_storm.hpp"

namespace tapio::process {

// All detectors. Each sees facts in nearly their order of time, and no clock: a replay finds the
// same. What each needs of what came before, it remembers itself, in bounded memory.
class Detectors {
 public:
  static constexpr FactSet kNeeds =
      facts_of<ProcessStarted, ProcessExecuted, ProcessExited, SignalSent, Lost, ExecFailed,
               CredentialsChanged, Multiplied>;

  explicit Detectors(const Config& config)
      : storm_(config), crashes_(config), bombs_(config), exec_failures_(config) {}

  void on_fact(const Fact& fact, Output& out);
  void on_tick(MonotonicTime now, Output& out) { bombs_.on_tick(now, out); }
  // Other thresholds; what was counted stays.
  void configure(const Config& config);

 private:
  void on(const auto&, Output&) {}  // of no use here
  void on(const ProcessStarted& fact, Output& out);
  void on(const ProcessExecuted& fact, Output& out);
  void on(const ProcessExited& fact, Output& out);
  void on(const SignalSent& fact, Output& out);
  void on(const Lost& fact, Output& out);
  void on(const Multiplied& fact, Output&) { bombs_.on(fact); }
  void on(const ExecFailed& fact, Output& out) { exec_failures_.on(fact, out); }
  void on(const CredentialsChanged& fact, Output& out) { gains_.on(fact, out); }

  SignalStorm storm_;
  KillChain chains_;
  CrashLoop crashes_;
  ForkBomb bombs_;
  ExecFailures exec_failures_;
  SignalAcrossBorder border_;
  PrivilegeGain gains_;
};

}  // namespace tapio::process
