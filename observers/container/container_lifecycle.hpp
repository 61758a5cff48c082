// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "base/lru.hpp"
#include "observer.hpp"

namespace tapio::container {

// From the facts of cgroups and processes: when containers are made, start, end and are gone. What
// a container runs is its main process: the first of its pid namespace, or, in one that it shares,
// the first that executes in a mount namespace of its own.
class Lifecycle {
 public:
  static constexpr std::size_t kMaxContainers = 16'384;  // beyond: the one longest without news
  static constexpr std::size_t kMaxAsked = 1024;         // beyond: the one asked longest ago
  // Who was asked to end that long ago and ends now ends for it.
  static constexpr std::chrono::nanoseconds kAsked = std::chrono::minutes(1);

  // Told as records, by `hand_out` of the observer.
  using HandOut = std::function<void(const Record&, Output&)>;
  explicit Lifecycle(HandOut hand_out) : hand_out_(std::move(hand_out)) {}

  void on(const CgroupCreated& fact, Output& out);
  void on(const CgroupRemoved& fact, Output& out);
  void on(const ProcessExecuted& fact, Output& out);
  void on(const ProcessExited& fact, Output& out);
  void on(const SignalSent& fact, Output& out);
  void on(const OomKilled& fact, Output& out);

  [[nodiscard]] std::size_t size() const { return containers_.size(); }

 private:
  struct Entry {
    MonotonicTime created{};
    MonotonicTime started{};
    ProcessId main;
    std::uint64_t main_cgroup = 0;
    bool ended = false;
    std::uint32_t killed_for_memory = 0;  // processes
    bool main_killed_for_memory = false;
  };
  // The latest request to end that somebody outside sent to the main process.
  struct Asked {
    MonotonicTime time{};
    std::int32_t signal = 0;
    ProcessId by;
    std::string by_name;
  };

  // Ids as hashes: two that share one would be one container.
  using Key = std::uint64_t;  // 0: none
  static Key container_of(std::uint64_t cgroup_id, const World& world);
  void start(Key id, Entry& entry, const ProcessExecuted& fact, Output& out);
  void end(Key id, const Entry& entry, const ProcessExited& fact, Output& out);

  HandOut hand_out_;
  Lru<Key, Entry> containers_{kMaxContainers};
  Lru<ProcessId, Key, ProcessIdHash> mains_{kMaxContainers};
  Lru<Key, Asked> asked_{kMaxAsked};
};

}  // namespace tapio::container
