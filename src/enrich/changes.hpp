// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <deque>
#include <list>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "facts/facts.hpp"
#include "facts/world.hpp"

namespace tapio {

// What is different since, for each container, unit or, failing these, cgroup: a program that had
// not run there before, another limit, other credentials, a main process that was started again.
// From facts alone, and bounded.
class Changes {
 public:
  static constexpr std::size_t kMaxScopes = 512;      // beyond: the one longest without a fact goes
  static constexpr std::size_t kMaxExecutables = 64;  // of a scope; beyond: the oldest is new again
  static constexpr std::size_t kMaxSeeded = 4096;     // beyond: not known to have run before
  static constexpr std::size_t kMaxNameBytes = 256;   // of a path in a sentence; its end is shown
  // Who ran for shorter before it changed its ids did so as part of its start.
  static constexpr std::chrono::nanoseconds kLongLived = std::chrono::seconds(10);

  struct Stats {
    std::size_t scopes = 0;
    std::uint64_t evicted_scopes = 0;
    std::uint64_t evicted_executables = 0;
  };

  // After the World has applied the fact.
  void on_fact(const Fact& fact, const World& world);
  // What ran before the agent: in its scope, or where that is not known, everywhere.
  void seen(const ProcessExecuted& snapshot, const World& world);

  [[nodiscard]] std::vector<Change> of(std::uint64_t cgroup_id, MonotonicTime from,
                                       MonotonicTime to, const World& world) const;
  [[nodiscard]] Stats stats() const;

 private:
  // Paths as hashes: two that share one only hide each other.
  using Hash = std::uint64_t;
  struct Scope {
    std::string key;
    std::deque<Hash> executables;  // in the order in which they came
    std::unordered_set<Hash> known;
    ProcessId main_process;
    Hash main_executable = 0;
    std::deque<Change> changes;  // at most World::kMaxChanges
  };

  void on(const auto&, const World&) {}  // of no use here
  void on(const ProcessExecuted& fact, const World& world);
  void on(const CredentialsChanged& fact, const World& world);
  void on(const CgroupLimitChanged& fact, const World& world);
  Scope& scope(std::uint64_t cgroup_id, const World& world);
  bool learn(Scope& scope, Hash executable);
  void note_main(Scope& scope, const ProcessExecuted& fact, const World& world);
  static void add(Scope& scope, Change change);

  std::list<Scope> scopes_;  // longest without a fact first
  std::unordered_map<std::string, std::list<Scope>::iterator> by_key_;
  std::unordered_set<Hash> seeded_;
  std::uint64_t evicted_scopes_ = 0;
  std::uint64_t evicted_executables_ = 0;
};

}  // namespace tapio
