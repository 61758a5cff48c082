// SPDX-License-Identifier: Apache-2.0
#include "enrich/cgroups.hpp"

#include <algorithm>

#include "enrich/cgroup_path.hpp"

namespace tapio {
namespace {

bool is_removed(const Cgroup& cgroup) {
  return cgroup.removed.count() != 0;
}

}  // namespace

void Cgroups::created(const CgroupCreated& fact) {
  if (!fact.cgroup_id) return;
  const bool event = fact.evidence != RecordId{};
  const auto known = by_id_.find(fact.cgroup_id);
  if (known != by_id_.end() && is_removed(known->second->cgroup) &&
      fact.time <= known->second->cgroup.removed) {  // late news of one that is gone
    if (event) known->second->cgroup.created = fact.time;
    return;
  }
  Entry& entry = know(fact.cgroup_id, fact.time);
  if (event) entry.cgroup.created = fact.time;
  const bool newer = fact.time >= entry.heard;  // v1 lets directories be renamed
  entry.heard = std::max(entry.heard, fact.time);
  if (entry.cgroup.path.empty() || (newer && fact.path.starts_with('/')))
    set_path(entry, fact.path);
  limit();
}

void Cgroups::removed(const CgroupRemoved& fact) {
  if (!fact.cgroup_id) return;
  const auto known = by_id_.find(fact.cgroup_id);
  if (known != by_id_.end() &&
      (is_removed(known->second->cgroup) || fact.time < known->second->cgroup.created))
    return;
  Entry& entry = know(fact.cgroup_id, fact.time);
  if (entry.cgroup.path.empty()) set_path(entry, fact.path);
  retire(by_id_.at(fact.cgroup_id), fact.time);
  limit();
}

// The live entry of this id. One that was removed before, at another time, makes room for it.
Cgroups::Entry& Cgroups::know(std::uint64_t id, MonotonicTime time) {
  const auto known = by_id_.find(id);
  if (known != by_id_.end()) {
    if (!is_removed(known->second->cgroup)) return *known->second;
    text_bytes_ -= known->second->cgroup.path.size();
    removed_.erase(known->second);
  }
  live_.push_back({.cgroup = {.id = id}, .heard = time});
  by_id_[id] = std::prev(live_.end());
  return live_.back();
}

void Cgroups::set_path(Entry& entry, std::string_view path) {
  Cgroup& cgroup = entry.cgroup;
  if (cgroup.path == path) return;
  text_bytes_ += path.size() - cgroup.path.size();
  cgroup.path = path;
  const auto identity = identify_cgroup(cgroup.path);
  cgroup.runtime = identity.runtime;
  cgroup.container_id = identity.container_id;
  cgroup.pod_uid = identity.pod_uid;
  cgroup.qos = identity.qos;
  cgroup.unit = identity.unit;
  cgroup.user_unit = identity.user_unit;
}

void Cgroups::retire(Entries::iterator entry, MonotonicTime time) {
  entry->cgroup.removed = std::max(time, MonotonicTime(1));  // 0 would mean that it is there
  removed_.splice(removed_.end(), live_, entry);
}

void Cgroups::forget(Entries& list) {
  text_bytes_ -= list.front().cgroup.path.size();
  by_id_.erase(list.front().cgroup.id);
  list.pop_front();
}

void Cgroups::limit() {
  while (live_.size() > limits_.live || removed_.size() > limits_.removed ||
         (text_bytes_ > limits_.text_bytes && by_id_.size() > 1)) {
    const bool spare_live = live_.size() <= limits_.live && !removed_.empty();
    forget(spare_live ? removed_ : live_);
    evicted_++;
  }
}

void Cgroups::expire(MonotonicTime now) {
  while (!removed_.empty() && removed_.front().cgroup.removed + limits_.keep_removed < now)
    forget(removed_);
}

void Cgroups::begin_walk(MonotonicTime now) {
  walk_began_ = now;
}

void Cgroups::end_walk(MonotonicTime now) {
  for (auto next = live_.begin(); next != live_.end();) {
    const auto entry = next++;
    if (entry->heard < walk_began_) retire(entry, now);
  }
  limit();
}

const Cgroup* Cgroups::find(std::uint64_t id) const {
  const auto known = by_id_.find(id);
  return known == by_id_.end() ? nullptr : &known->second->cgroup;
}

Cgroups::Stats Cgroups::stats() const {
  return {.live = live_.size(),
          .removed = removed_.size(),
          .evicted = evicted_,
          .text_bytes = text_bytes_};
}

}  // namespace tapio
