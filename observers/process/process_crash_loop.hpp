// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <deque>
#include <string>

#include "base/lru.hpp"
#include "process_config.hpp"
#include "process_report.hpp"

namespace tapio::process {

// The same program ends badly again and again, soon after it was started. What counts depends on
// who starts it, because an exit status is an ordinary answer to a shell, and a crash an ordinary
// event in a test suite.
class CrashLoop {
 public:
  static constexpr std::size_t kMaxLoops = 512;     // beyond: the one longest without a death goes
  static constexpr std::size_t kMaxStarts = 8192;   // beyond: the oldest goes, and is no service
  static constexpr std::size_t kMaxTargets = 1024;  // of deadly signals; beyond: the oldest goes
  static constexpr std::size_t kMaxDeaths = 64;     // in the window; beyond: the oldest goes
  static constexpr std::chrono::nanoseconds kWindow = std::chrono::minutes(5);
  static constexpr std::chrono::nanoseconds kShortLife = std::chrono::seconds(60);
  // A person at a shell tries a broken program again too, but not as quickly.
  static constexpr std::uint32_t kMoreByShell = 2;
  static constexpr std::chrono::nanoseconds kWindowOfShell = std::chrono::seconds(60);
  // Children that only forked are workers of a server, or tests that are meant to die: those do so
  // for some seconds, as many as there are of them.
  static constexpr std::uint32_t kMoreWorkers = 2;
  static constexpr std::chrono::nanoseconds kWorkersFor = std::chrono::seconds(20);

  explicit CrashLoop(const Config& config) { configure(config); }
  void configure(const Config& config) {
    deaths_ = config.detect_crash_deaths;
    exits_ = config.detect_crash_exits;
  }

  void on(const ProcessStarted& fact);
  void on(const SignalSent& fact);
  void on(const ProcessExited& fact, Output& out);

 private:
  enum class Starter : std::uint8_t { manager, shell, fork, other };
  struct Birth {
    std::uint64_t cgroup_id = 0;
    std::string name;  // its starter's
  };
  struct Sent {  // bit masks of signals
    std::uint64_t by_others = 0;
    std::uint64_t by_kernel = 0;
  };
  struct Death {
    MonotonicTime time{};
    std::int32_t signal = 0;
    std::int32_t code = 0;
  };
  struct Loop {
    std::deque<Death> recent;  // within the window
    MonotonicTime first{};     // of the incident, as are count and evidence
    std::uint64_t count = 0;
    Because because;
    Incident incident;
  };

  [[nodiscard]] bool crashed(const ProcessExited& fact);
  [[nodiscard]] Starter starter_of(const ProcessExited& fact, const Process& process,
                                   const World& world);
  [[nodiscard]] static std::string loop_of(const ProcessExited& fact, const Process& process,
                                           Starter starter, const World& world);
  [[nodiscard]] bool is_managed(const ProcessExited& fact, const Process& process,
                                const World& world);
  [[nodiscard]] bool is_loop(const Loop& loop, Starter starter) const;
  Loop& note(const std::string& key, const ProcessExited& fact);
  void tell(const Loop& loop, const ProcessExited& fact, std::string_view program, Output& out);

  std::uint32_t deaths_ = 0;
  std::uint32_t exits_ = 0;
  Lru<ProcessId, Birth, ProcessIdHash> births_{kMaxStarts};
  Lru<ProcessId, Sent, ProcessIdHash> sent_{kMaxTargets};
  Lru<std::string, Loop> loops_{kMaxLoops};
};

}  // namespace tapio::process
