// SPDX-License-Identifier: Apache-2.0
#include "watch.hpp"

#include <algorithm>

#include "base/pack.hpp"

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
    const bool limits_due = config_.limits && now >= entry->limits_due;
    const Seen seen = ask(*entry, limits_due, end);
    if (seen.there) {
      take(*entry, seen, limits_due, now, out);
      Entries& to = entry->limited ? limited_ : others_;
      to.splice(to.end(), list, entry);
    } else {  // it is gone
      by_id_.erase(entry->id);
      list.erase(entry);
    }
    if (seen.time_is_up) break;
  }
  return used;
}

Watch::Seen Watch::ask(const Entry& entry, bool limits_due, MonotonicTime end) const {
  const auto answer = outside_->ask("cgroup", [&] {
    const Seen seen = look(entry, limits_due);
    Packer pack;
    pack(seen.there)(monotonic_now() >= end);
    for (const auto& value : {seen.memory_max, seen.memory_usage, seen.cpu, seen.pids})
      pack(value.has_value())(value.value_or(0));
    return std::move(pack.bytes());
  });
  Seen seen;
  Unpacker unpack(answer);
  unpack(seen.there)(seen.time_is_up);
  for (auto* value : {&seen.memory_max, &seen.memory_usage, &seen.cpu, &seen.pids}) {
    bool known = false;
    std::uint64_t number = 0;
    unpack(known)(number);
    if (known) *value = number;
  }
  return unpack.done() ? seen : Seen{};
}

Watch::Seen Watch::look(const Entry& entry, bool limits_due) const {
  const auto directory = files_ ? files_->directory(entry.path, entry.id)
                                : fail(Fault::unavailable, "nothing is read");
  if (!directory) return {};
  Seen seen{.there = true};
  seen.memory_max = files_->limit(*directory, Limit::memory);
  if (config_.memory && seen.memory_max.value_or(kNoLimit) != kNoLimit)
    seen.memory_usage = files_->memory_usage(*directory);
  if (!limits_due) return seen;
  seen.cpu = files_->limit(*directory, Limit::cpu);
  seen.pids = files_->limit(*directory, Limit::pids);
  return seen;
}

void Watch::take(Entry& entry, const Seen& seen, bool limits_due, MonotonicTime now,
                 Readings& out) const {
  entry.limited = seen.memory_max.value_or(kNoLimit) != kNoLimit;
  const bool often = entry.limited && config_.memory;
  if (often && seen.memory_usage)
    out.memory.push_back(
        {.time = now, .cgroup_id = entry.id, .usage = *seen.memory_usage, .max = *seen.memory_max});
  note(entry, Limit::memory, seen.memory_max, now, out);
  if (limits_due) {
    entry.limits_due = now + config_.limits_interval;
    note(entry, Limit::cpu, seen.cpu, now, out);
    note(entry, Limit::pids, seen.pids, now, out);
  }
  entry.due = now + (often ? config_.memory_interval : config_.limits_interval);
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
