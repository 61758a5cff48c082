// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <string>

#include "base/lru.hpp"
#include "process_config.hpp"
#include "process_report.hpp"

namespace tapio::process {

// One process sends many signals, second after second. Counts are lower bounds: the kernel side
// limits the signals that are not deadly.
class SignalStorm {
 public:
  static constexpr std::size_t kMaxSenders = 1024;  // beyond: the one longest silent is forgotten
  static constexpr std::size_t kMaxTargets = 64;    // told apart; more are counted as one
  // A loss of signals is known a second late, and says that more were sent than seen.
  static constexpr std::chrono::nanoseconds kPressed = std::chrono::seconds(3);

  explicit SignalStorm(const Config& config) { configure(config); }
  void configure(const Config& config) {
    per_second_ = config.detect_storm_signals;
    seconds_ = config.detect_storm_seconds;
  }

  void on(const SignalSent& fact, Output& out);
  void on(const Lost& fact);

 private:
  static constexpr std::size_t kSignals = 65;  // 0: none, 1..64
  struct Target {
    ProcessId id;
    std::string name;
    std::uint64_t count = 0;
  };
  struct Sender {
    MonotonicTime begun{};   // of the storm: where the first full second began
    MonotonicTime second{};  // where the one under way began
    std::uint64_t in_second = 0;
    std::uint32_t full_seconds = 0;  // one after the other, before the one under way
    std::uint64_t count = 0;         // since `begun`
    std::vector<Target> targets;
    std::array<std::uint32_t, kSignals> by_signal{};
    Because because;
    Incident incident;
  };

  [[nodiscard]] std::uint64_t enough(MonotonicTime now) const;
  void count(Sender& sender, const SignalSent& fact);
  void next_second(Sender& sender, MonotonicTime now);
  static void begin(Sender& sender, MonotonicTime now);
  void tell(Sender& sender, const SignalSent& latest, Output& out) const;

  std::uint64_t per_second_ = 0;
  std::uint32_t seconds_ = 0;
  MonotonicTime pressed_{};  // to the end of the latest loss of signals
  Lru<ProcessId, Sender, ProcessIdHash> senders_{kMaxSenders};
};

}  // namespace tapio::process
