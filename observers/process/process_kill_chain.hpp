// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <deque>
#include <string>
#include <vector>

#include "base/lru.hpp"
#include "process_report.hpp"

namespace tapio::process {

// Who killed is killed, by one who is killed in turn.
class KillChain {
 public:
  static constexpr std::size_t kMaxTargets = 1024;  // beyond: the one longest without a signal goes
  static constexpr std::size_t kMaxPerTarget = 4;   // senders; beyond: the oldest goes
  static constexpr std::size_t kMaxDeaths = 1024;   // beyond: the oldest goes
  static constexpr std::size_t kMaxLength = 16;     // deaths of one chain that are followed
  static constexpr std::size_t kMaxTold = 256;      // chains that are held back from repetition
  static constexpr std::size_t kLeast = 3;          // deaths that are worth telling
  // Between the death of one and that of its killer.
  static constexpr std::chrono::nanoseconds kWithin = std::chrono::seconds(10);

  void on(const SignalSent& fact);
  void on(const ProcessExited& fact, Output& out);

 private:
  struct Shot {
    ProcessId sender;
    std::string sender_name;
    std::uint64_t sender_cgroup_id = 0;
    std::int32_t signal = 0;
    MonotonicTime time{};
    RecordId evidence{};
    bool asked = false;  // by SIGTERM, before this one
    MonotonicTime asked_at{};
  };
  struct Target {
    std::vector<Shot> shots;
  };
  struct Death {
    ProcessId process;
    std::string name;
    MonotonicTime time{};
    RecordId evidence{};
    Shot by;
  };
  using Chain = std::vector<const Death*>;  // the latest first

  [[nodiscard]] const Shot* killer(const ProcessExited& fact);
  [[nodiscard]] Chain chain_of(const Death& latest) const;
  static std::string step(const Death& death);
  void tell(const Chain& chain, Output& out);

  Lru<ProcessId, Target, ProcessIdHash> targets_{kMaxTargets};
  std::deque<Death> deaths_;
  Lru<ProcessId, Incident, ProcessIdHash> told_{kMaxTold};  // by who died first
};

}  // namespace tapio::process
