// SPDX-License-Identifier: Apache-2.0
#include "enrich/changes.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <utility>

namespace tapio {

namespace {

// Whose changes are whose: a pod's containers come and go, a container's cgroup may too. Each exec
// asks, so nothing is formatted.
std::string key_of(std::uint64_t cgroup_id, const World& world) {
  const Cgroup* cgroup = cgroup_id != 0 ? world.cgroup(cgroup_id) : nullptr;
  if (cgroup && !cgroup->container_id.empty())
    return std::string("container ").append(cgroup->container_id);
  if (cgroup && !cgroup->unit.empty())
    return std::string("unit ").append(cgroup->unit).append(" ").append(cgroup->user_unit);
  return "cgroup " + std::to_string(cgroup_id);  // 0: the node
}

bool is_service(const Cgroup* cgroup) {
  return cgroup && cgroup->container_id.empty() && cgroup->unit.ends_with(".service");
}

std::uint64_t hash_of(std::string_view executable) {
  return std::hash<std::string_view>{}(executable);
}

std::string shown(std::string_view path) {
  if (path.size() <= Changes::kMaxNameBytes) return std::string(path);
  return "…" + std::string(path.substr(path.size() - Changes::kMaxNameBytes));
}

// Bytes where they are a round number of MiB or KiB.
std::string amount(std::string_view limit, std::uint64_t value) {
  if (value == kNoLimit) return "no limit";
  if (limit == "cpu.max") return fmt::format("{:.4g} CPUs", static_cast<double>(value) / 1000);
  if (!limit.starts_with("memory.")) return fmt::format("{}", value);
  if (value != 0 && value % (1 << 20) == 0) return fmt::format("{} MiB", value >> 20);
  if (value != 0 && value % (1 << 10) == 0) return fmt::format("{} KiB", value >> 10);
  return fmt::format("{} bytes", value);
}

std::string sentence(const CredentialsChanged& fact) {
  const auto who = label(fact.name, fact.process);
  if (fact.before.uid != fact.after.uid)
    return fmt::format("{} went from user {} to user {}", who, fact.before.uid, fact.after.uid);
  if (fact.before.euid != fact.after.euid && fact.after.euid == 0)
    return fmt::format("{} became root", who);
  return fmt::format("{} gained capabilities", who);
}

}  // namespace

void Changes::on_fact(const Fact& fact, const World& world) {
  std::visit([&](const auto& known) { on(known, world); }, fact);
}

void Changes::seen(const ProcessExecuted& snapshot, const World& world) {
  if (snapshot.executable.empty()) return;
  const auto executable = hash_of(snapshot.executable);
  if (snapshot.cgroup_id == 0) {
    if (seeded_.size() < kMaxSeeded) seeded_.insert(executable);
    return;
  }
  Scope& place = scope(snapshot.cgroup_id, world);
  learn(place, executable);
  note_main(place, snapshot, world);
}

// The first program of a place is what the place is for, and no change.
void Changes::on(const ProcessExecuted& fact, const World& world) {
  if (fact.executable.empty()) return;
  const Process* process = world.process(fact.process);
  const auto cgroup_id = fact.cgroup_id == 0 && process ? process->cgroup_id : fact.cgroup_id;
  Scope& place = scope(cgroup_id, world);
  const bool first = place.executables.empty() && cgroup_id != 0;
  const auto executable = hash_of(fact.executable);
  if (learn(place, executable) && !first && !seeded_.contains(executable))
    add(place, {.what = Change::What::executable,
                .time = fact.time,
                .cgroup_id = cgroup_id,
                .text = fmt::format("{} ran for the first time, as {}", shown(fact.executable),
                                    label(fact.name, fact.process)),
                .evidence = fact.evidence});
  note_main(place, fact, world);
}

// The first process of a pid namespace below the host's, or what systemd started for a service.
// What runs before it, such as ExecStartPre=, is another program.
void Changes::note_main(Scope& place, const ProcessExecuted& fact, const World& world) {
  const bool of_container = fact.virtual_pid == 1 && fact.process.pid != 1;
  const bool of_service = fact.parent.pid == 1 && is_service(world.cgroup(fact.cgroup_id));
  if (!of_container && !of_service) return;
  const auto executable = hash_of(fact.executable);
  const bool again = place.main_process && place.main_process != fact.process &&
                     place.main_executable == executable;
  const auto before = std::exchange(place.main_process, fact.process);
  place.main_executable = executable;
  if (again)
    add(place,
        {.what = Change::What::restart,
         .time = fact.time,
         .cgroup_id = fact.cgroup_id,
         .text = fmt::format("its main process was started again as {}; before it was pid {}",
                             label(fact.name, fact.process), before.pid),
         .evidence = fact.evidence});
}

void Changes::on(const CredentialsChanged& fact, const World& world) {
  const Process* process = world.process(fact.process);
  const auto started = process ? process->begun() : told_start(fact.process);
  const bool other_user = fact.before.uid != fact.after.uid && fact.time - started >= kLongLived;
  if (!fact.gained && !other_user) return;
  add(scope(fact.cgroup_id, world), {.what = Change::What::credentials,
                                     .time = fact.time,
                                     .cgroup_id = fact.cgroup_id,
                                     .text = sentence(fact),
                                     .evidence = fact.evidence});
}

void Changes::on(const CgroupLimitChanged& fact, const World& world) {
  add(scope(fact.cgroup_id, world),
      {.what = Change::What::limit,
       .time = fact.time,
       .cgroup_id = fact.cgroup_id,
       .text = fmt::format("{} went from {} to {}", fact.limit, amount(fact.limit, fact.before),
                           amount(fact.limit, fact.after)),
       .evidence = fact.evidence});
}

Changes::Scope& Changes::scope(std::uint64_t cgroup_id, const World& world) {
  auto key = key_of(cgroup_id, world);
  if (const auto known = by_key_.find(key); known != by_key_.end()) {
    scopes_.splice(scopes_.end(), scopes_, known->second);
    return *known->second;
  }
  if (scopes_.size() >= kMaxScopes) {
    by_key_.erase(scopes_.front().key);
    scopes_.pop_front();
    evicted_scopes_++;
  }
  scopes_.push_back({.key = std::move(key)});
  by_key_.emplace(scopes_.back().key, std::prev(scopes_.end()));
  return scopes_.back();
}

// True: it was not known.
bool Changes::learn(Scope& place, Hash executable) {
  if (!place.known.insert(executable).second) return false;
  place.executables.push_back(executable);
  if (place.executables.size() > kMaxExecutables) {
    place.known.erase(place.executables.front());
    place.executables.pop_front();
    evicted_executables_++;
  }
  return true;
}

void Changes::add(Scope& place, Change change) {
  place.changes.push_back(std::move(change));
  if (place.changes.size() > World::kMaxChanges) place.changes.pop_front();
}

std::vector<Change> Changes::of(std::uint64_t cgroup_id, MonotonicTime from, MonotonicTime to,
                                const World& world) const {
  const auto known = by_key_.find(key_of(cgroup_id, world));
  if (known == by_key_.end()) return {};
  std::vector<Change> list;
  for (const Change& change : known->second->changes)
    if (change.time >= from && change.time <= to) list.push_back(change);
  std::ranges::stable_sort(list, {}, &Change::time);  // critical facts come ahead of older ones
  return list;
}

Changes::Stats Changes::stats() const {
  return {.scopes = scopes_.size(),
          .evicted_scopes = evicted_scopes_,
          .evicted_executables = evicted_executables_};
}

}  // namespace tapio
