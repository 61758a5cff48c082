// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "dns_config.hpp"
#include "dns_exchanges.hpp"
#include "dns_schemas.hpp"
#include "observer.hpp"

namespace tapio::dns {

// Something that happens again and again: when, and the records that say so.
class Streak {
 public:
  static constexpr std::size_t kMax = 16;  // of which evidence is kept, the latest

  void add(MonotonicTime time, RecordId evidence);
  void forget_before(MonotonicTime time);
  // Once for an incident, and again after a minute while it goes on.
  [[nodiscard]] bool tell(MonotonicTime now);

  [[nodiscard]] std::size_t count() const { return times_.size(); }
  [[nodiscard]] bool empty() const { return times_.empty(); }
  [[nodiscard]] MonotonicTime first() const { return times_.front(); }
  [[nodiscard]] MonotonicTime latest() const { return times_.back(); }
  [[nodiscard]] std::span<const std::string_view> evidence(Arena& arena) const;

 private:
  static constexpr std::size_t kMaxTimes = 1'024;  // counted; beyond it the oldest goes
  static constexpr std::chrono::nanoseconds kRepeat = std::chrono::minutes(1);

  std::deque<MonotonicTime> times_;
  std::deque<RecordId> evidence_;
  std::optional<MonotonicTime> told_;
};

// What lookups show together. Time is that of the lookups, so a replay finds the same.
class Detectors {
 public:
  static constexpr std::chrono::nanoseconds kWindow = std::chrono::minutes(1);
  // Of each; beyond: the one that was of use longest ago goes.
  static constexpr std::size_t kMaxServers = 256, kMaxProcesses = 512, kMaxNames = 1'024;

  explicit Detectors(const Config& config) { configure(config); }
  void configure(const Config& config);

  // A lookup of a client here, and its record.
  void on(const Lookup& lookup, RecordId evidence, Output& out);

 private:
  struct Server {
    MonotonicTime used{};
    MonotonicTime answered{};  // the last time
    Streak unanswered, slow, fast;
  };
  struct Process {
    MonotonicTime used{};
    Streak retries;
  };
  struct Name {
    MonotonicTime used{};
    Streak failures;
  };

  void unanswered(const Lookup& lookup, RecordId evidence, Output& out);
  void answered(const Lookup& lookup, RecordId evidence, Output& out);
  void retried(const Lookup& lookup, RecordId evidence, Output& out);
  void failed(const Lookup& lookup, std::string_view how, RecordId evidence, Output& out);
  void forget_searched(const Lookup& lookup);

  std::chrono::nanoseconds slow_{};
  std::size_t silent_queries_ = 0, failing_answers_ = 0, slow_answers_ = 0, retries_ = 0;
  std::map<std::string, Server> servers_;
  std::map<std::uint32_t, Process> processes_;
  std::map<std::string, Name> names_;  // by process and name
};

}  // namespace tapio::dns
