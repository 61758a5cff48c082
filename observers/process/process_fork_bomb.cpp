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
  forget(fact.time);
  if (find(fact.process)) return;
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
  by_id_.emplace(fact.process, std::prev(newborns_.end()));
  join(newborns_.back());
  if (parent) have_child(*parent);
  const ProcessId origin = newborns_.back().origin;
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
  newborn->generation = newborn->children = 0;
}

void ForkBomb::on(const ProcessExited& fact) {
  Newborn* newborn = find(fact.process);
  if (!newborn || !newborn->living) return;
  newborn->living = false;
  if (newborn->origin != newborn->id) origins_[newborn->origin].living--;
}

void ForkBomb::forget(MonotonicTime now) {
  while (!newborns_.empty() &&
         (newborns_.size() >= kMaxNewborns || newborns_.front().born + kNewborn < now)) {
    leave(newborns_.front());
    by_id_.erase(newborns_.front().id);
    newborns_.pop_front();
  }
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
  origin->second.parents -= newborn.children >= 2 ? 1 : 0;
  if (--origin->second.members == 0) origins_.erase(origin);
}

void ForkBomb::have_child(Newborn& parent) {
  if (++parent.children == 2 && parent.origin != parent.id) origins_[parent.origin].parents++;
}

void ForkBomb::look(ProcessId id, Origin& origin, MonotonicTime now, Output& out) {
  if (origin.living < processes_ || now < origin.looked + kLookAgain) return;
  origin.looked = now;
  const Shape shape = shape_of(id);
  const bool grows = origin.parents >= parents_ && shape.deepest >= kDeep;
  if (!grows && shape.deepest < kVeryDeep) return;
  if (told_.use(id).tell(now)) tell(id, origin, shape, now, out);
}

// Parents stand before their children, so one pass finds the eldest of each line.
ForkBomb::Shape ForkBomb::shape_of(ProcessId origin) const {
  Shape shape;
  struct Line {
    const Newborn* eldest;
    std::uint32_t members;
  };
  std::unordered_map<ProcessId, const Newborn*, ProcessIdHash> eldest_of;
  std::unordered_map<ProcessId, Line, ProcessIdHash> lines;
  for (const Newborn& newborn : newborns_) {
    if (newborn.origin != origin || newborn.id == origin) continue;
    if (shape.first.count() == 0) shape.first = newborn.born;
    shape.deepest = std::max(shape.deepest, newborn.generation);
    shape.because.add(newborn.evidence);
    const auto parent = eldest_of.find(newborn.parent);
    const Newborn* eldest = parent == eldest_of.end() ? &newborn : parent->second;
    eldest_of.emplace(newborn.id, eldest);
    Line& line = lines.try_emplace(eldest->id, eldest, 0u).first->second;
    if (++line.members > shape.of_eldest) {
      shape.eldest = line.eldest;
      shape.of_eldest = line.members;
    }
  }
  return shape;
}

void ForkBomb::tell(ProcessId id, const Origin& origin, const Shape& shape, MonotonicTime now,
                    Output& out) {
  // Two thirds of one line: the origin forked that line's eldest and is no part of it, like the
  // shell where somebody typed it. Else the origin itself forks again and again.
  const bool one_line = !find(id) && shape.of_eldest * 3 >= origin.members * 2;
  const Process* known = out.world().process(id);
  const ProcessId above = one_line ? id : known ? known->parent : ProcessId{};
  const ProcessId eldest = one_line ? shape.eldest->id : id;
  const std::string name(one_line ? std::string_view(shape.eldest->name)
                                  : name_of(id, out.world()));
  report({.detected = {.time = now,
                       .what = Detection::fork_bomb,
                       .severity = Severity::critical,
                       .process = eldest,
                       .process_name = name,
                       .other = above,
                       .other_name = name_of(above, out.world()),
                       .cgroup_id = newborns_.back().cgroup_id,
                       .count = origin.members,
                       .window = now - shape.first,
                       .executable = known ? std::string_view(known->image->executable) : ""},
          .summary = fmt::format(
              "{} multiplies: {} processes in {}, {} generations deep, {} of them living and {} "
              "parents of two or more",
              label(name, eldest), origin.members, seconds(now - shape.first), shape.deepest,
              origin.living, origin.parents),
          .suggestion = "Kill the whole cgroup at once (cgroup.kill), and set pids.max."},
         shape.because, out);
}

}  // namespace tapio::process
