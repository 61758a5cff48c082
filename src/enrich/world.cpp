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
  if (since_.count() != 0) since_ = std::max(since_, fact.to);
}

void KnownWorld::begin_resync(MonotonicTime now) {
  wants_resync_ = false;
  if (since_.count() != 0) since_ = std::max(since_, now);
  processes_.begin_resync(now);
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
