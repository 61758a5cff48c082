// SPDX-License-Identifier: Apache-2.0
#include "oom_victims.hpp"

#include <algorithm>
#include <csignal>
#include <ranges>

namespace tapio::oom {

namespace {

// How far the log's time of a kill may be off: it is read once a second, and no earlier than that.
constexpr std::chrono::nanoseconds kSlack = std::chrono::milliseconds(1500);

// With memory.oom.group the kernel goes from one to the next without a pause.
constexpr std::chrono::nanoseconds kOneKill = std::chrono::seconds(1);

bool close(MonotonicTime a, MonotonicTime b, std::chrono::nanoseconds within) {
  return a <= b + within && b <= a + within;
}

bool together(const Victim& a, const Victim& b) {
  if (a.reported && b.reported)
    return a.reported->fact.chosen_pid != 0 &&
           a.reported->fact.chosen_pid == b.reported->fact.chosen_pid;
  return a.killed && b.killed && a.killed->fact.running &&
         a.killed->fact.running == b.killed->fact.running && close(a.time, b.time, kOneKill);
}

}  // namespace

Killed::Killed(const OomKilled& given)
    : fact(given),
      name(given.name),
      running_name(given.running_name),
      levels(given.levels.begin(), given.levels.end()) {
  fact.name = fact.running_name = {};
  fact.levels = {};
}

Reported::Reported(const OomReported& given)
    : fact(given),
      victim_name(given.victim_name),
      constraint(given.constraint),
      oom_memcg(given.oom_memcg),
      task_memcg(given.task_memcg),
      invoker(given.invoker),
      group(given.group) {
  for (const OomTask& task : given.tasks) {
    const Consumer consumer{.pid = task.pid,
                            .rss = task.rss,
                            .name = std::string(task.name),
                            .swap = task.swap,
                            .page_tables = task.page_tables,
                            .score_adj = task.score_adj};
    if (task.pid == given.victim_pid) row = consumer;
    if (consumers.size() < kMaxConsumers) consumers.push_back(consumer);
  }
  fact.victim_name = fact.constraint = fact.oom_memcg = fact.task_memcg = {};
  fact.invoker = fact.group = {};
  fact.tasks = {};
}

std::string_view Victim::name() const {
  if (reported) return reported->victim_name;
  return killed ? std::string_view(killed->name) : std::string_view();
}

void Victims::note(const OomKilled& fact, const Settled& settled) {
  Victim* known = find(fact.victim.pid, fact.victim, fact.time);
  if (known && known->killed) return;
  if (!known) known = &add(fact.victim.pid, fact.victim, fact.time, settled);
  known->killed.emplace(fact);
  known->process = fact.victim;
  known->time = fact.time;  // better than the log's
}

void Victims::note(const OomReported& fact, const World& world, const Settled& settled) {
  const ProcessId process = who_had(fact.victim_pid, fact.time, world);
  Victim* known = find(fact.victim_pid, process, fact.time);
  if (known && known->reported) return;
  if (!known) known = &add(fact.victim_pid, process, fact.time, settled);
  known->reported.emplace(fact);
}

void Victims::note(const ProcessExited& fact) {
  const Exit exit{.process = fact.process,
                  .time = fact.time,
                  .evidence = fact.evidence,
                  .signal = fact.signal,
                  .code = fact.code};
  for (auto* list : {&settling_, &settled_})
    for (Victim& victim : *list)
      if (victim.process == fact.process && !victim.exit) victim.exit = exit;
  if (fact.signal != SIGKILL) return;
  exits_.push_back(exit);
  if (exits_.size() > kMaxExits) exits_.pop_front();
}

void Victims::settle(MonotonicTime now, const Settled& settled) {
  // Ordered by when they came, not by their time, which the log has only roughly.
  while (!settling_.empty() && settling_.front().time + kSettle <= now) settle_first(settled);
  while (!settled_.empty() && settled_.front().time + kRemembered < now) settled_.pop_front();
}

void Victims::settle_first(const Settled& settled) {
  settled_.splice(settled_.end(), settling_, settling_.begin());
  Victim& victim = settled_.back();
  if (!victim.exit)
    if (const Exit* exit = exit_of(victim.pid, victim.time);
        exit && (!victim.process || victim.process == exit->process)) {
      victim.exit = *exit;
      victim.process = exit->process;
    }
  settled(victim);
}

Victim* Victims::find(std::uint32_t pid, ProcessId process, MonotonicTime time) {
  for (auto* list : {&settling_, &settled_})
    for (Victim& victim : *list | std::views::reverse) {
      const bool other = process && victim.process && process != victim.process;
      if (victim.pid == pid && !other && close(victim.time, time, kApart)) return &victim;
    }
  return nullptr;
}

Victim& Victims::add(std::uint32_t pid, ProcessId process, MonotonicTime time,
                     const Settled& settled) {
  if (size() >= kMaxVictims) {
    if (settled_.empty()) settle_first(settled);
    settled_.pop_front();
  }
  Victim& added = settling_.emplace_back();
  added.pid = pid;
  added.process = process;
  added.time = time;
  if (const Exit* exit = exit_of(pid, time); exit && (!process || process == exit->process))
    added.exit = *exit;
  return added;
}

const Exit* Victims::exit_of(std::uint32_t pid, MonotonicTime time) const {
  for (const Exit& exit : exits_ | std::views::reverse)
    if (exit.process.pid == pid && close(exit.time, time, kSlack)) return &exit;
  return nullptr;
}

// A pid may be somebody else's by the time the log is read: who was killed with it comes first.
ProcessId Victims::who_had(std::uint32_t pid, MonotonicTime time, const World& world) const {
  if (const Exit* exit = exit_of(pid, time)) return exit->process;
  const Process* process = world.process(pid);
  if (!process || process->started > time) return {};
  if (process->life != Life::running && !close(process->exited, time, kApart)) return {};
  return process->id;
}

std::vector<const Victim*> Victims::with(const Victim& victim) const {
  std::vector<const Victim*> list;
  for (const auto* each : {&settled_, &settling_})
    for (const Victim& other : *each)
      if (&other != &victim && close(other.time, victim.time, kApart) && together(other, victim))
        list.push_back(&other);
  return list;
}

}  // namespace tapio::oom
