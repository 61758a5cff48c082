// SPDX-License-Identifier: Apache-2.0
#include "enrich/resolved_names.hpp"

#include <algorithm>
#include <iterator>

namespace tapio {

void ResolvedNames::set(const NameResolved& fact) {
  for (const IpAddress& address : fact.addresses) {
    if (fact.process)
      set({.by = NameOf::By::process, .process = fact.process, .address = address}, fact);
    if (fact.cgroup_id != 0)
      set({.by = NameOf::By::cgroup, .cgroup_id = fact.cgroup_id, .address = address}, fact);
  }
}

void ResolvedNames::set(const Key& key, const NameResolved& fact) {
  set_++;
  if (limits_.entries == 0) return;
  auto known = entries_.find(key);
  if (known != entries_.end() && fact.time < known->second.answered) return;
  if (known == entries_.end()) known = add(key);
  Entry& entry = known->second;
  order_.splice(order_.end(), order_, entry.place);
  entry.name = fact.name;
  entry.answered = fact.time;
  entry.until = fact.time + std::clamp(fact.ttl, limits_.least_ttl, limits_.most_ttl);
  entry.evidence = fact.evidence;
}

ResolvedNames::Entries::iterator ResolvedNames::add(const Key& key) {
  while (entries_.size() >= limits_.entries) {
    forget(entries_.find(*order_.front()));
    evicted_++;
  }
  const auto added = entries_.try_emplace(key).first;
  added->second.place = order_.insert(order_.end(), &added->first);
  return added;
}

std::optional<NameOf> ResolvedNames::get(const IpAddress& address, ProcessId process,
                                         std::uint64_t cgroup_id, MonotonicTime now) const {
  const Key keys[] = {{.by = NameOf::By::process, .process = process, .address = address},
                      {.by = NameOf::By::cgroup, .cgroup_id = cgroup_id, .address = address}};
  for (const Key& key : keys) {
    const auto known = entries_.find(key);
    if (known == entries_.end() || known->second.until <= now) continue;
    return NameOf{.by = key.by,
                  .name = known->second.name,
                  .answered = known->second.answered,
                  .evidence = known->second.evidence};
  }
  return {};
}

void ResolvedNames::expire(MonotonicTime now) {
  for (auto at = entries_.begin(); at != entries_.end();) {
    const auto next = std::next(at);
    if (at->second.until <= now) {
      forget(at);
      expired_++;
    }
    at = next;
  }
}

void ResolvedNames::forget(Entries::iterator entry) {
  order_.erase(entry->second.place);
  entries_.erase(entry);
}

ResolvedNames::Stats ResolvedNames::stats() const {
  return {.kept = entries_.size(), .set = set_, .evicted = evicted_, .expired = expired_};
}

}  // namespace tapio
