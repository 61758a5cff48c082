// SPDX-License-Identifier: Apache-2.0
#include "watch.hpp"

#include <algorithm>

#include "base/pack.hpp"

namespace tapio::container {

namespace {

// Below the mount; "": not known.
std::string_view below_mount(std::string_view path) {
  static constexpr std::string_view kUnseenHead = "…";  // then the rest begins at the mount
  if (path.starts_with(kUnseenHead)) path.remove_prefix(kUnseenHead.size());
  return path.starts_with('/') ? path : std::string_view();
}

}  // namespace

void Watch::configure(const Config& config) {
  config_ = config;
  for (Entries* list : {&limited_, &others_})
    for (Entry& entry : *list) entry.due = entry.limits_due = entry.details_due = {};
}

void Watch::add(const CgroupCreated& fact) {
  if (below_mount(fact.path).empty() || by_id_.contains(fact.cgroup_id)) return;
  if (by_id_.size() >= kMaxCgroups) return;
  others_.push_front({.id = fact.cgroup_id});
  if (fact.evidence != RecordId{}) others_.front().settled = fact.time + kSettles;
  by_id_.emplace(fact.cgroup_id, others_.begin());
}

void Watch::remove(std::uint64_t id) {
  const auto known = by_id_.find(id);
  if (known == by_id_.end()) return;
  (known->second->limited ? limited_ : others_).erase(known->second);
  by_id_.erase(known);
}

Watch::Readings Watch::tick(MonotonicTime now, const World& world) {
  Readings out;
  if (!config_.memory && !config_.limits) return out;
  const Tick tick{.now = now, .end = monotonic_now() + kBudget, .world = world, .out = out};
  const std::size_t most = config_.readings_per_second;
  // Many with a limit must not keep the others from their turn: one may be limited later.
  const auto used = go_round(limited_, std::max<std::size_t>(most - most / 4, 1), tick);
  go_round(others_, most - used, tick);
  return out;
}

std::size_t Watch::go_round(Entries& list, std::size_t most, const Tick& tick) {
  std::size_t used = 0;
  for (; used < most && !list.empty() && list.front().due <= tick.now; ++used) {
    const auto entry = list.begin();
    const Cgroup* cgroup = tick.world.cgroup(entry->id);
    const auto path = cgroup ? below_mount(cgroup->path) : std::string_view();
    const Due due = this->due(*entry, tick.now, tick.out.looked.size());
    const Seen seen = path.empty() ? Seen{} : ask(*entry, path, due, tick.end);
    if (seen.there) {
      take(*entry, seen, due, tick.now, tick.out);
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

Watch::Due Watch::due(const Entry& entry, MonotonicTime now, std::size_t looked) const {
  const bool look = entry.near && now >= entry.look_due && looked < kMaxLooks;
  return {.limits = config_.limits && now >= entry.limits_due,
          .details = config_.memory && (entry.pressed || now >= entry.details_due),
          .consumers = config_.memory && look};
}

Watch::Seen Watch::ask(const Entry& entry, std::string_view path, Due due,
                       MonotonicTime end) const {
  const auto answer = outside_->ask("cgroup", [&] {
    const Seen seen = look(entry, path, due);
    Packer pack;
    pack(seen.there)(monotonic_now() >= end);
    seen.figures.pack(pack);
    if (due.consumers) seen.consumers.pack(pack);
    return std::move(pack.bytes());
  });
  Seen seen;
  Unpacker unpack(answer);
  unpack(seen.there)(seen.time_is_up);
  seen.figures.unpack(unpack);
  if (due.consumers) seen.consumers.unpack(unpack);
  return unpack.done() ? seen : Seen{};
}

Watch::Seen Watch::look(const Entry& entry, std::string_view path, Due due) const {
  const auto directory =
      files_ ? files_->directory(path, entry.id) : fail(Fault::unavailable, "nothing is read");
  if (!directory) return {};
  Seen seen{.there = true};
  Figures& figures = seen.figures;
  figures[Figure::memory_max] = files_->limit(*directory, Limit::memory);
  if (due.limits) {
    figures[Figure::cpu_max] = files_->limit(*directory, Limit::cpu);
    figures[Figure::pids_max] = files_->limit(*directory, Limit::pids);
  }
  const bool limited = entry.limited || figures.limit(Figure::memory_max) != kNoLimit ||
                       figures.limit(Figure::cpu_max) != kNoLimit;
  if (!config_.memory || !limited) return seen;
  figures[Figure::memory_usage] = files_->memory_usage(*directory);
  if (due.details) files_->details(*directory, figures);
  if (due.consumers) seen.consumers = consumers_of(*directory);
  return seen;
}

void Watch::take(Entry& entry, const Seen& seen, Due due, MonotonicTime now, Readings& out) const {
  note(entry, Limit::memory, seen.figures[Figure::memory_max], now, out);
  if (due.limits) {
    entry.limits_due = now + config_.limits_interval;
    note(entry, Limit::cpu, seen.figures[Figure::cpu_max], now, out);
    note(entry, Limit::pids, seen.figures[Figure::pids_max], now, out);
  }
  const auto has = [&](Limit limit) {
    const Value& last = entry.limits.at(static_cast<std::size_t>(limit));
    return last.read.count() != 0 && last.value != kNoLimit;
  };
  entry.limited = has(Limit::memory) || has(Limit::cpu);
  const bool often = entry.limited && config_.memory;
  if (often && seen.figures[Figure::memory_usage]) take_memory(entry, seen, now, out);
  if (often && due.details) entry.details_due = now + kDetails;
  if (due.consumers) {
    entry.look_due = now + kLook;
    out.looked.push_back({.cgroup_id = entry.id, .consumers = seen.consumers});
  }
  entry.due = now + (often ? config_.memory_interval : config_.limits_interval);
}

// Whether something is up decides what is read the next time.
void Watch::take_memory(Entry& entry, const Seen& seen, MonotonicTime now, Readings& out) const {
  CgroupMemory& memory = out.memory.emplace_back(memory_of(seen.figures));
  memory.time = now;
  memory.cgroup_id = entry.id;
  const auto usage = static_cast<double>(memory.usage), max = static_cast<double>(memory.max);
  const bool waits = memory.pressure && memory.pressure->some >= kWaits;
  bool soon = false;
  if (entry.read.count() != 0 && memory.usage > entry.usage && memory.max != kNoLimit) {
    const double grown = usage - static_cast<double>(entry.usage);
    const auto seconds = std::chrono::duration<double>(now - entry.read).count();
    soon = grown * std::chrono::duration<double>(kSoon).count() >= (max - usage) * seconds;
  }
  entry.pressed = memory.max != kNoLimit && (waits || soon || usage >= kFullish * max);
  entry.near = memory.max != kNoLimit && usage >= kNear * max;
  entry.read = now;
  entry.usage = memory.usage;
}

void Watch::note(Entry& entry, Limit limit, std::optional<std::uint64_t> value, MonotonicTime now,
                 Readings& out) const {
  Value& last = entry.limits.at(static_cast<std::size_t>(limit));
  const bool comparable = last.read.count() != 0 && value && last.read >= entry.settled;
  if (config_.limits && comparable && last.value != *value)
    out.changes.push_back({.time = now,
                           .since = last.read,
                           .cgroup_id = entry.id,
                           .limit = name(limit),
                           .before = last.value,
                           .after = *value});
  last = value ? Value{.read = now, .value = *value} : Value{};
}

}  // namespace tapio::container
