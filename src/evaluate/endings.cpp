// SPDX-License-Identifier: Apache-2.0
#include "evaluate/endings.hpp"

#include <utility>

#include "evaluate/attribution.hpp"
#include "evaluate/names.hpp"

namespace tapio {

namespace {

constexpr std::string_view kObserver = "process";  // whose losses matter

template <typename T>
void push(std::deque<T>& list, T value, std::size_t most) {
  list.push_back(std::move(value));
  if (list.size() > most) list.pop_front();
}

}  // namespace

std::string_view name(By by) {
  switch (by) {
    case By::process:
      return "process";
    case By::self:
      return "self";
    case By::fault:
      return "fault";
    case By::timer:
      return "timer";
    case By::kernel:
      return "kernel";
    case By::terminal:
      return "terminal";
    case By::namespace_init:
      return "namespace_init";
    case By::parent_death:
      return "parent_death";
    case By::oom:
      return "oom";
    case By::passed_on:
      return "passed_on";
    case By::nobody:
      return "nobody";
    case By::unknown:
      return "unknown";
  }
  return "unknown";
}

void Endings::on_fact(const Fact& fact, const World& world, const Handed& handed) {
  std::visit([&](const auto& known) { on(known, world, handed); }, fact);
}

void Endings::on_time(MonotonicTime now, const World& world, const Handed& handed) {
  witness_.deaths.settle(now, attribute(world, handed));
  witness_.signals.forget(now);
  witness_.requests.forget(now);
}

Deaths::Settled Endings::attribute(const World& world, const Handed& handed) const {
  return [this, &world, &handed](const Death& death) {
    handed(Attribution(witness_, world).of(death));
  };
}

void Endings::on(const ProcessExited& fact, const World& world, const Handed& handed) {
  Death death{.process = fact.process,
              .parent = fact.parent,
              .time = fact.time,
              .evidence = fact.evidence,
              .signal = fact.signal,
              .code = fact.code,
              .core_dumped = fact.core_dumped,
              .name = std::string(fact.name),
              .cgroup_id = fact.cgroup_id};
  note_init(death, world);
  if (death.by() == 0 && !Attribution(witness_, world).request(death).sent) return;
  witness_.deaths.note(std::move(death), attribute(world, handed));
}

void Endings::note_init(const Death& death, const World& world) {
  const Process* process = world.process(death.process);
  if (!process || process->virtual_pid != 1 || process->pid_namespace == 0) return;
  push(witness_.inits,
       {.process = death.process,
        .pid_namespace = process->pid_namespace,
        .time = death.time,
        .evidence = death.evidence,
        .who = who(death, world)},
       Witness::kMaxInits);
}

void Endings::on(const SignalSent& fact, const World&, const Handed&) {
  witness_.signals.note(fact);
  if (asks_to_end(fact.signal) && fact.sender != fact.target) witness_.requests.note(fact);
}

void Endings::on(const OomKilled& fact, const World&, const Handed&) {
  push(witness_.oom_kills, {.victim = fact.victim, .evidence = fact.evidence},
       Witness::kMaxOomKills);
}

void Endings::on(const Lost& fact, const World&, const Handed&) {
  if (fact.observer != kObserver) return;
  if (fact.event_class == TAPIO_CRITICAL) witness_.lost_deadly.note(fact);
  if (fact.event_class == TAPIO_NORMAL) witness_.lost_others.note(fact);
}

}  // namespace tapio
