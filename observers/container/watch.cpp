// SPDX-License-Identifier: Apache-2.0
#include "watch.hpp"

#include <algorithm>

namespace tapio::container {

void Watch::configure(const Config& config) {
  config_ = config;
  for (Entries* list : {&limited_, &others_})
    for (Entry& entry : *list) entry.due = entry.limits_due = {};
}

void Watch::add(const CgroupCreated& fact) {
  static constexpr std::string_view kUnseenHead = "…";  // then the rest begins at the mount
  auto path = fact.path;
  if (path.starts_with(kUnseenHead)) path.remove_prefix(kUnseenHead.size());
  if (!path.starts_with('/') || by_id_.contains(fact.cgroup_id)) return;
  if (by_id_.size() >= kMaxCgroups) return;
  others_.push_front({.id = fact.cgroup_id, .path = std::string(path)});
  if (fact.evidence != RecordId{}) others_.front().settled = fact.time + kSettles;
  by_id_.emplace(fact.cgroup_id, others_.begin());
}

void Watch::remove(std::uint64_t id) {
  const auto known = by_id_.find(id);
  if (known == by_id_.end()) return;
  (known->second->limited ? limited_ : others_).erase(known->second);
  by_id_.erase(known);
}

Watch::Readings Watch::tick(MonotonicTime now) {
  Readings out;
  if (!config_.memory && !config_.limits) return out;
  const auto end = monotonic_now() + kBudget;
  const std::size_t most = config_.readings_per_second;
  // Many with a limit must not keep the others from their turn: one may be limited later.
  const auto used = go_round(limited_, std::max<std::size_t>(most - most / 4, 1), now, end, out);
  go_round(others_, most - used, now, end, out);
  return out;
}

std::size_t Watch::go_round(Entries& list, std::size_t most, MonotonicTime now, MonotonicTime end,
                            Readings& out) {
  std::size_t used = 0;
  for (; used < most && !list.empty() && list.front().due <= now; ++used) {
    const auto entry = list.begin();
    if (read(*entry, now, out)) {
      Entries& to = entry->limited ? limited_ : others_;
      to.splice(to.end(), list, entry);
    } else {  // it is gone
      by_id_.erase(entry->id);
      list.erase(entry);
    }
    if (monotonic_now() >= end) break;
  }
  return used;
}

Status Watch::read(Entry& entry, MonotonicTime now, Readings& out) const {
  const Fd directory = TRY(files_.directory(entry.path, entry.id));
  const auto max = files_.limit(directory, Limit::memory);
  entry.limited = max.value_or(kNoLimit) != kNoLimit;
  const bool often = entry.limited && config_.memory;
  if (often)
    if (const auto usage = files_.memory_usage(directory))
      out.memory.push_back({.time = now, .cgroup_id = entry.id, .usage = *usage, .max = *max});
  note(entry, Limit::memory, max, now, out);
  if (config_.limits && now >= entry.limits_due) {
    entry.limits_due = now + config_.limits_interval;
    for (const Limit limit : {Limit::cpu, Limit::pids})
      note(entry, limit, files_.limit(directory, limit), now, out);
  }
  entry.due = now + (often ? config_.memory_interval : config_.limits_interval);
  return {};
}

void Watch::note(Entry& entry, Limit limit, std::optional<std::uint64_t> value, MonotonicTime now,
                 Readings& out) const {
  Value& last = entry.limits.at(static_cast<std::size_t>(limit));
  const bool comparable = last.value && value && last.read >= entry.settled;
  if (config_.limits && comparable && *last.value != *value)
    out.changes.push_back({.time = now,
                           .since = last.read,
                           .cgroup_id = entry.id,
                           .limit = name(limit),
                           .before = *last.value,
                           .after = *value});
  last = {.read = now, .value = value};
}

}  // namespace tapio::container
