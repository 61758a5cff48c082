// SPDX-License-Identifier: Apache-2.0
#include "process_fork_bomb.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace tapio::process {

namespace {

std::size_t hash(std::string_view executable) {
  return std::hash<std::string_view>{}(executable);
}

}  // namespace

ForkBomb::Newborn* ForkBomb::find(ProcessId id) {
  const auto found = by_id_.find(id);
  return found == by_id_.end() ? nullptr : &*found->second;
}

void ForkBomb::on(const ProcessStarted& fact, Output& out) {
  if (fact.parent == fact.process) return;  // no process is; a sample may say anything
  forget(fact.time);
  const auto [place, added] = by_id_.try_emplace(fact.process);
  if (!added) return;
  Newborn* parent = find(fact.parent);
  const bool inherits = parent && parent->origin != parent->id;
  const Process* process = out.world().process(fact.process);
  newborns_.push_back({.id = fact.process,
                       .parent = fact.parent,
                       .born = fact.time,
                       .evidence = fact.evidence,
                       .cgroup_id = fact.cgroup_id,
                       .name = std::string(fact.name),
                       .origin = inherits ? parent->origin : fact.parent,
                       .program = hash(process ? process->image->executable : ""),
                       .generation = inherits ? parent->generation + 1 : 1});
  const Newborn& newborn = newborns_.back();
  place->second = std::prev(newborns_.end());
  join(newborn);
  if (parent) parent->children++;
  if (const ProcessId* bomb = of_bomb_.find(fact.parent)) {
    const ProcessId eldest = *bomb;
    of_bomb_.use(fact.process) = eldest;
  }
  const ProcessId origin = newborn.origin;
  look(origin, origins_[origin], fact.time, out);
}

// Running the same program again is multiplying too.
void ForkBomb::on(const ProcessExecuted& fact) {
  Newborn* newborn = find(fact.process);
  if (!newborn || newborn->program == hash(fact.executable)) return;
  leave(*newborn);
  newborn->program = hash(fact.executable);
  newborn->name = fact.name;
  newborn->origin = newborn->id;
  newborn->generation = newborn->children = newborn->gone = 0;
}

// Who ends without children is but a number: in a storm of short-lived processes that is everybody,
// and a table of the living alone is small enough to stay in the cache.
void ForkBomb::on(const ProcessExited& fact) {
  const auto found = by_id_.find(fact.process);
  if (found == by_id_.end() || !found->second->living) return;
  Newborn& newborn = *found->second;
  if (newborn.children == 0) {
    Newborn* parent = find(newborn.parent);
    if (parent && parent->origin == newborn.origin) parent->gone++;
    return erase(found->second);
  }
  newborn.living = false;
  if (newborn.origin != newborn.id) origins_[newborn.origin].living--;
}

void ForkBomb::erase(Newborns::iterator newborn) {
  leave(*newborn);
  by_id_.erase(newborn->id);
  newborns_.erase(newborn);
}

void ForkBomb::forget(MonotonicTime now) {
  while (!newborns_.empty() &&
         (newborns_.size() >= kMaxNewborns || newborns_.front().born + kNewborn < now))
    erase(newborns_.begin());
}

void ForkBomb::join(const Newborn& newborn) {
  Origin& origin = origins_[newborn.origin];
  origin.members++;
  origin.living++;
}

void ForkBomb::leave(const Newborn& newborn) {
  if (newborn.origin == newborn.id) return;  // it has left before
  const auto origin = origins_.find(newborn.origin);
  origin->second.living -= newborn.living ? 1 : 0;
  if (--origin->second.members == 0) origins_.erase(origin);
}

void ForkBomb::look(ProcessId id, Origin& origin, MonotonicTime now, Output& out) {
  const bool grown = origin.living > origin.then + origin.then / kOrGrown;
  if (origin.living < processes_ || (now < origin.looked + kLookAgain && !grown)) return;
  origin.looked = now;
  origin.then = origin.living;
  const auto lines = lines_of(id);
  const auto largest = std::ranges::max_element(lines.begin() + 1, lines.end(), {}, &Line::living);
  // One line alone: the origin forked its eldest and has no part in it, like the shell where
  // somebody typed it. Else the origin itself forks again and again.
  const bool alone = largest != lines.end() && !find(id) && is_bomb(*largest);
  if (!alone && !is_bomb(lines.front())) return;
  const Line& line = alone ? *largest : lines.front();
  const ProcessId* known = of_bomb_.find(line.eldest->id);
  const ProcessId eldest = known ? *known : alone ? line.eldest->id : id;
  if (!told_.use(eldest).tell(now)) return;
  for (const Newborn& newborn : newborns_)
    if (newborn.origin == id) of_bomb_.use(newborn.id) = eldest;
  tell(line, eldest, now, out);
}

bool ForkBomb::is_bomb(const Line& line) const {
  if (line.living < processes_) return false;
  return (line.parents >= parents_ && line.deepest >= kDeep) || line.deepest >= kVeryDeep;
}

void ForkBomb::add(Line& line, const Newborn& newborn) {
  if (!line.eldest) line.eldest = &newborn;
  if (line.name.empty() && newborn.parent == line.eldest->id) line.name = newborn.name;
  line.members += 1 + newborn.gone;
  line.living += newborn.living ? 1 : 0;
  line.parents += newborn.children >= 2 ? 1 : 0;
  line.deepest = std::max(line.deepest, newborn.generation + (newborn.gone > 0 ? 1 : 0));
  line.because.add(newborn.evidence);
}

// All of them first, then line by line. Parents stand before their children, so one pass will do.
std::vector<ForkBomb::Line> ForkBomb::lines_of(ProcessId origin) const {
  std::vector<Line> lines(1);
  std::unordered_map<ProcessId, std::size_t, ProcessIdHash> line_of;
  for (const Newborn& newborn : newborns_) {
    if (newborn.origin != origin || newborn.id == origin) continue;
    const auto parent = line_of.find(newborn.parent);
    const std::size_t at = parent == line_of.end() ? lines.size() : parent->second;
    if (at == lines.size()) lines.emplace_back();
    line_of.emplace(newborn.id, at);
    add(lines.front(), newborn);
    add(lines[at], newborn);
  }
  return lines;
}

void ForkBomb::tell(const Line& line, ProcessId eldest, MonotonicTime now, Output& out) {
  const World& world = out.world();
  const Process* known = world.process(eldest);
  const ProcessId above = known ? known->parent : ProcessId{};
  const auto name = name_of_parent(eldest, line.name, world);
  const auto window = now - line.eldest->born;
  Alarm& alarm = alarms_.use(line.eldest->cgroup_id);
  alarm.waits = false;
  alarm.told = now;
  report({.detected = {.time = now,
                       .what = Detection::fork_bomb,
                       .severity = Severity::critical,
                       .process = eldest,
                       .process_name = name,
                       .other = above,
                       .other_name = name_of(above, world),
                       .cgroup_id = line.eldest->cgroup_id,
                       .count = line.members,
                       .window = window,
                       .executable = known ? std::string_view(known->image->executable) : ""},
          .summary = fmt::format(
              "{} multiplies: {} processes in {}, {} generations deep, {} of them living, {} of "
              "them parents of two or more",
              label(name, eldest), line.members, seconds(window), line.deepest, line.living,
              line.parents),
          .suggestion = "Kill the whole cgroup at once (cgroup.kill), and set pids.max."},
         line.because, out);
}

void ForkBomb::on(const Multiplied& fact) {
  Alarm& alarm = alarms_.use(fact.cgroup_id);
  const bool told = alarm.told.count() != 0 && fact.time < alarm.told + Incident::kRepeat;
  if (told || alarm.waits) return;
  alarm.fact = fact;
  alarm.name = fact.name;
  alarm.fact.name = {};
  alarm.because = {};
  alarm.because.add(fact.evidence);
  alarm.waits = true;
}

void ForkBomb::on_tick(MonotonicTime now, Output& out) {
  for (const auto& [cgroup_id, known] : alarms_.entries()) {
    if (!known.waits || now < known.fact.time + kAlarmWaits) continue;
    Alarm& alarm = *alarms_.find(cgroup_id);
    alarm.waits = false;
    alarm.told = alarm.fact.time;
    tell(alarm, out);
  }
}

void ForkBomb::tell(const Alarm& alarm, Output& out) {
  const Multiplied& fact = alarm.fact;
  const Process* parent = out.world().process(fact.parent);
  report(
      {.detected = {.time = fact.time,
                    .what = Detection::fork_bomb,
                    .severity = Severity::critical,
                    .process = fact.process,
                    .process_name = alarm.name,
                    .other = fact.parent,
                    .other_name = name_of(fact.parent, out.world()),
                    .cgroup_id = fact.cgroup_id,
                    .count = fact.births,
                    .window = kNewborn,
                    .executable = parent ? std::string_view(parent->image->executable) : ""},
       .summary = fmt::format(
           "processes like {} multiply: {} began in their control group in {} or less, {} forks or "
           "more after the last exec, {} at most, and {} of them live (counted in the kernel)",
           label(alarm.name, fact.process), fact.births, seconds(kNewborn), kDeep, fact.deepest,
           fact.living),
       .suggestion = "Kill the whole cgroup at once (cgroup.kill), and set pids.max."},
      alarm.because, out);
}

}  // namespace tapio::process
