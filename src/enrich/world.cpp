// SPDX-License-Identifier: Apache-2.0
#include "enrich/world.hpp"

#include <algorithm>

namespace tapio {

void KnownWorld::apply(const Fact& fact) {
  std::visit([this](const auto& known) { on(known); }, fact);
  changes_.on_fact(fact, *this);
}

void KnownWorld::on(const Lost& fact) {
  if (fact.event_class != TAPIO_STATE) return;
  wants_resync_ = true;
  wants_cgroup_walk_ = true;
  if (since_.count() != 0) since_ = std::max(since_, fact.to);
}

void KnownWorld::begin_resync(MonotonicTime now) {
  wants_resync_ = false;
  if (since_.count() != 0) since_ = std::max(since_, now);
  processes_.begin_resync(now);
}

void KnownWorld::begin_cgroup_walk(MonotonicTime now) {
  wants_cgroup_walk_ = false;
  cgroups_.begin_walk(now);
}

void KnownWorld::on_time(MonotonicTime now) {
  processes_.expire(now);
  cgroups_.expire(now);
  containers_.expire(now);
  memory_.expire(now);
  names_.expire(now);
}

std::vector<const Process*> KnownWorld::ancestors(ProcessId id) const {
  std::vector<const Process*> list;
  const Process* process = processes_.find(id);
  while (process && list.size() < kMaxAncestors) {
    process = process->parent ? processes_.find(process->parent) : nullptr;
    if (process) list.push_back(process);
  }
  return list;
}

}  // namespace tapio
