// SPDX-License-Identifier: Apache-2.0
#include "oom_scope.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "facts/place.hpp"

namespace tapio::oom {

namespace {

// Sure of what ran out, by what says so.
constexpr double kBoth = 0.98;      // the kernel's report, and its structs
constexpr double kReport = 0.95;    // the report alone
constexpr double kLine = 0.85;      // only the line about the victim
constexpr double kAtALimit = 0.85;  // concluded: a cgroup of the victim is at its limit
constexpr double kAtNoLimit = 0.7;  // concluded: none is, so it is the node
constexpr double kUnknown = 0.4;

// Between the charge that failed and the kill a few pages may have been given back.
constexpr double kFull = 0.9;

double fullness(std::uint64_t usage, std::uint64_t limit) {
  if (limit == kNoLimit || limit == 0) return 0;
  return static_cast<double>(usage) / static_cast<double>(limit);
}

// Whether its limit of swap counts for anything: on v1 it is that of memory and swap together.
bool is_full(const Figures& figures) {
  return fullness(figures.usage, figures.limit) >= kFull;
}

// The innermost of the fullest: charging begins there.
const MemoryLevel* fullest(const Killed& killed) {
  const MemoryLevel* found = nullptr;
  for (const MemoryLevel& level : killed.levels)
    if (!found || fullness(level.usage, level.max) > fullness(found->usage, found->max))
      found = &level;
  return found;
}

std::string path_of(std::uint64_t cgroup_id, const World& world) {
  const Cgroup* cgroup = cgroup_id != 0 ? world.cgroup(cgroup_id) : nullptr;
  return cgroup ? cgroup->path : std::string();
}

const MemoryLevel* level_of(const Victim& victim, std::string_view path, const World& world) {
  if (!victim.killed) return nullptr;
  for (const MemoryLevel& level : victim.killed->levels)
    if (!path.empty() && path_of(level.cgroup_id, world) == path) return &level;
  return fullest(*victim.killed);
}

void decide(Scope& scope, const Victim& victim) {
  using Kind = Scope::Kind;
  if (victim.reported) {
    const auto& constraint = victim.reported->constraint;
    scope.kind = victim.reported->fact.in_cgroup            ? Kind::cgroup
                 : constraint == "CONSTRAINT_CPUSET"        ? Kind::nodes_allowed
                 : constraint == "CONSTRAINT_MEMORY_POLICY" ? Kind::nodes_allowed
                                                            : Kind::node;
    scope.source = kLog;
    scope.confidence = constraint.empty() ? kLine : victim.killed ? kBoth : kReport;
    return;
  }
  const MemoryLevel* level = victim.killed ? fullest(*victim.killed) : nullptr;
  if (!level) {
    scope.confidence = kUnknown;
    return;
  }
  const bool full = fullness(level->usage, level->max) >= kFull;
  scope.kind = full ? Kind::cgroup : Kind::node;
  scope.source = kStructs;
  scope.concluded = true;
  scope.confidence = full ? kAtALimit : kAtNoLimit;
}

void take_level(Scope& scope, const Victim& victim, const MemoryLevel& level) {
  scope.cgroup_id = level.cgroup_id;
  scope.memory = Figures{.usage = level.usage, .limit = level.max, .source = kStructs};
  if (level.swap_usage != 0 || level.swap_max != kNoLimit)
    scope.swap = Figures{.usage = level.swap_usage, .limit = level.swap_max, .source = kStructs};
  scope.own = &level == victim.killed->levels.data();
}

void take_log(Scope& scope, const Reported& reported) {
  const OomReported& fact = reported.fact;
  if (!scope.memory && fact.usage_logged)
    scope.memory = Figures{.usage = fact.usage, .limit = fact.limit, .source = kLog};
  if (!scope.swap && fact.swap_logged)
    scope.swap = Figures{.usage = fact.swap_usage, .limit = fact.swap_limit, .source = kLog};
  scope.with_memory = fact.swap_with_memory;
  if (!reported.oom_memcg.empty() && !reported.task_memcg.empty())
    scope.own = reported.oom_memcg == reported.task_memcg;
}

// Without the kernel's structs there is no id, unless the victim was in that very cgroup.
std::uint64_t own_cgroup(const Victim& victim, std::string_view path, const World& world) {
  const Process* process = victim.process ? world.process(victim.process) : nullptr;
  if (!process || path.empty() || path_of(process->cgroup_id, world) != path) return 0;
  return process->cgroup_id;
}

}  // namespace

std::string Scope::name() const {
  if (kind == Kind::node) return "the node";
  if (kind == Kind::nodes_allowed) return "the memory nodes that it may use";
  if (kind == Kind::unknown) return "what ran out of memory";
  if (!container.empty()) return container;
  if (!path.empty()) return "cgroup " + path;
  return cgroup_id != 0 ? fmt::format("cgroup {}", cgroup_id) : "its cgroup";
}

Scope scope_of(const Victim& victim, const World& world) {
  Scope scope;
  decide(scope, victim);
  if (scope.kind != Scope::Kind::cgroup) return scope;
  if (victim.reported) scope.path = victim.reported->oom_memcg;
  if (const auto* level = level_of(victim, scope.path, world)) take_level(scope, victim, *level);
  if (victim.reported) take_log(scope, *victim.reported);
  if (scope.path.empty()) scope.path = path_of(scope.cgroup_id, world);
  if (scope.cgroup_id == 0) scope.cgroup_id = own_cgroup(victim, scope.path, world);
  if (const Cgroup* its = world.cgroup(scope.cgroup_id); its && !its->container_id.empty())
    scope.container = container_in_words(its->container_id, world);
  scope.swap_is_full = scope.with_memory && scope.swap && is_full(*scope.swap) && scope.memory &&
                       !is_full(*scope.memory);
  return scope;
}

}  // namespace tapio::oom
