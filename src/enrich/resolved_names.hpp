// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <compare>
#include <cstdint>
#include <list>
#include <map>
#include <optional>
#include <string>

#include "facts/facts.hpp"
#include "facts/world.hpp"

namespace tapio {

struct ResolvedNameLimits {
  std::size_t entries = 8'192;  // beyond it the one that was answered longest ago goes
  // A connection may begin just when the answer runs out, and many keep it longer than they should.
  std::chrono::seconds least_ttl{60};
  std::chrono::seconds most_ttl{3600};
};

// By what names processes know addresses, from answers of name servers: what each process was told,
// and what any process of a cgroup was told, since one may ask and another one connect. One thread
// uses it.
class ResolvedNames {
 public:
  struct Stats {
    std::size_t kept = 0;
    std::uint64_t set = 0;      // addresses, each for a process and for its cgroup
    std::uint64_t evicted = 0;  // forgotten before their time
    std::uint64_t expired = 0;
  };

  explicit ResolvedNames(ResolvedNameLimits limits = {}) : limits_(limits) {}
  ResolvedNames(const ResolvedNames&) = delete;  // the index points into the list
  ResolvedNames& operator=(const ResolvedNames&) = delete;

  void set(const NameResolved& fact);
  // What the process itself was told, else what its cgroup was. Views live until the next change.
  [[nodiscard]] std::optional<NameOf> get(const IpAddress& address, ProcessId process,
                                          std::uint64_t cgroup_id, MonotonicTime now) const;
  // Forgets what ran out.
  void expire(MonotonicTime now);

  [[nodiscard]] Stats stats() const;

 private:
  struct Key {
    NameOf::By by{};
    ProcessId process;  // of By::process
    std::uint64_t cgroup_id = 0;
    IpAddress address;
    auto operator<=>(const Key&) const = default;
  };
  struct Entry {
    std::string name;
    MonotonicTime answered{}, until{};
    RecordId evidence{};
    std::list<const Key*>::iterator place;
  };

  using Entries = std::map<Key, Entry>;

  void set(const Key& key, const NameResolved& fact);
  Entries::iterator add(const Key& key);
  void forget(Entries::iterator entry);

  ResolvedNameLimits limits_;
  Entries entries_;
  std::list<const Key*> order_;  // answered longest ago first
  std::uint64_t set_ = 0, evicted_ = 0, expired_ = 0;
};

}  // namespace tapio
