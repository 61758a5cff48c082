// SPDX-License-Identifier: Apache-2.0
#include "enrich/containers.hpp"

#include <iterator>

namespace tapio {

void Containers::described(const ContainerDescribed& fact) {
  if (fact.id.empty()) return;
  if (const auto waiting = awaited_.find(fact.id); waiting != awaited_.end())
    awaited_.erase(waiting);
  if (const auto known = by_id_.find(fact.id); known != by_id_.end()) {
    const auto entry = known->second;
    if (fact.time < entry->described) return;
    by_id_.erase(known);
    entries_.erase(entry);
  }
  while (!entries_.empty() && entries_.size() >= limits_.described) {
    by_id_.erase(entries_.front().id);
    entries_.pop_front();
    evicted_++;
  }
  entries_.push_back({.id = std::string(fact.id),
                      .runtime = std::string(fact.runtime),
                      .name = std::string(fact.name),
                      .image = std::string(fact.image),
                      .pod_name = std::string(fact.pod_name),
                      .pod_namespace = std::string(fact.pod_namespace),
                      .pod_uid = std::string(fact.pod_uid),
                      .sandbox_id = std::string(fact.sandbox_id),
                      .sandbox = fact.sandbox,
                      .restarts = fact.restarts,
                      .state = fact.state,
                      .exit_code = fact.exit_code,
                      .exit_reason = std::string(fact.exit_reason),
                      .described = fact.time,
                      .evidence = fact.evidence});
  by_id_.emplace(entries_.back().id, std::prev(entries_.end()));
}

void Containers::awaited(const ContainerAwaited& fact) {
  if (fact.id.empty() || by_id_.contains(fact.id)) return;
  if (awaited_.size() < limits_.awaited || awaited_.contains(fact.id))
    awaited_.insert_or_assign(std::string(fact.id), fact.until);
}

void Containers::unnamed(const ContainerUnnamed& fact) {
  if (const auto waiting = awaited_.find(fact.id); waiting != awaited_.end())
    awaited_.erase(waiting);
}

void Containers::expire(MonotonicTime now) {
  while (!entries_.empty() && entries_.front().described + limits_.keep < now) {
    by_id_.erase(entries_.front().id);
    entries_.pop_front();
  }
  std::erase_if(awaited_, [now](const auto& each) { return each.second < now; });
}

const Container* Containers::find(std::string_view id) const {
  const auto known = by_id_.find(id);
  return known == by_id_.end() ? nullptr : &*known->second;
}

std::optional<MonotonicTime> Containers::awaited_until(std::string_view id) const {
  const auto waiting = awaited_.find(id);
  if (waiting == awaited_.end()) return {};
  return waiting->second;
}

Containers::Stats Containers::stats() const {
  return {.described = entries_.size(), .awaited = awaited_.size(), .evicted = evicted_};
}

}  // namespace tapio
