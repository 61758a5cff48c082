// SPDX-License-Identifier: Apache-2.0
#include "evaluate/attribution.hpp"

#include <algorithm>
#include <csignal>
#include <ranges>
#include <tuple>

#include "evaluate/names.hpp"
#include "evaluate/signal_words.hpp"

namespace tapio {

namespace {

bool sent_by_process(const Sent& sent) {
  return sent.by == SignalClass::user || sent.by == SignalClass::tkill ||
         sent.by == SignalClass::queue;
}

// The kernel sends it for something that the signal itself tells.
bool has_reason(std::int32_t signal) {
  switch (signal) {
    case SIGHUP:
    case SIGINT:
    case SIGQUIT:
    case SIGPIPE:
    case SIGXCPU:
    case SIGXFSZ:
    case SIGSYS:
    case SIGIO:
      return true;
  }
  return false;
}

// Of one sender, the shot that counts for an end at `time`.
const Shot& shot_before(const Sent& sent, MonotonicTime time) {
  return sent.latest.time > time ? sent.first : sent.latest;
}

}  // namespace

Ending Attribution::begin(const Death& death) const {
  const Process* process = world_.process(death.process);
  Ending end;
  end.process = death.process;
  end.parent = process && process->parent ? process->parent : death.parent;
  end.cgroup_id = death.cgroup_id == 0 && process ? process->cgroup_id : death.cgroup_id;
  end.time = death.time;
  end.signal = death.signal;
  end.code = death.code;
  end.cause_signal = death.by();
  end.main_process = is_main_process(death);
  end.lived = std::max(death.time - beginning(death.process, world_).time, {});
  end.draft.time = death.time;
  end.draft.entity = who(death, world_);
  end.draft.process = death.process;
  end.draft.cgroup_id = end.cgroup_id;
  return end;
}

Ending Attribution::explain(const Death& death, int generation) const {
  Ending end =
      death.signal != 0 ? explain_signal(death, generation) : explain_status(death, generation);
  // What follows from another end is as grave as that one.
  if (end.by != By::passed_on && end.by != By::namespace_init)
    end.draft.severity = severity_of(end);
  return end;
}

Ending Attribution::explain_signal(const Death& death, int generation) const {
  Ending end = begin(death);
  Choice choice = choose(death, death.signal);
  if (const auto origin = caught_before(death, choice); origin.sent) choice = origin;
  const bool own = choice.sent && choice.sent->sender == death.process;
  const auto by = choice.sent ? choice.sent->by : SignalClass::unknown;
  end.caught = choice.raised_again;
  if (choice.sent && !own) end.sender = choice.sent->sender;

  const auto* oom = death.signal == SIGKILL ? oom_kill(death) : nullptr;
  // The kernel has no siginfo for what a write does to the writer (SEND_SIG_NOINFO in pipe_write,
  // send_sig(SIGXFSZ, current, 0)): it looks as if sent by itself. Seccomp may kill without any.
  const bool by_its_write =
      own && by == SignalClass::user && (death.signal == SIGXFSZ || death.signal == SIGPIPE);
  const bool unseen = !choice.sent && (death.signal == SIGSYS || death.signal == SIGPIPE);
  if (oom)
    by_oom(end, death, *oom);
  else if (by_its_write || unseen)
    by_kernel(end, death, choice, generation);
  else if (own)
    by_itself(end, death, choice);
  else if (by == SignalClass::timer)
    by_timer(end, death, choice);
  else if (by == SignalClass::kernel_fault || (by == SignalClass::kernel && is_fault(death.signal)))
    by_fault(end, death, choice);
  else if (by == SignalClass::kernel)
    by_kernel(end, death, choice, generation);
  else if (by == SignalClass::unknown)
    by_nobody_known(end, death);
  else
    by_process(end, death, choice);
  return end;
}

Ending Attribution::explain_status(const Death& death, int generation) const {
  if (death.by() != 0 && death.by() != SIGPIPE)
    if (auto end = passed_on(death, generation)) return std::move(*end);
  if (auto end = after_signal(death)) return std::move(*end);
  Ending end = begin(death);
  by_nobody(end, death);
  return end;
}

// Whose signal it was that the target caught and then sent to itself, as well-behaved programs do.
Choice Attribution::caught_before(const Death& death, const Choice& raised) const {
  if (!raised.sent || raised.sent->sender != death.process || death.signal == SIGKILL) return {};
  auto origin = choose(death, death.signal, death.process);
  if (!origin.sent || origin.sent->by == SignalClass::unknown ||
      origin.shot->time > raised.shot->time)
    return {};
  origin.raised_again = true;
  return origin;
}

// SIGKILL: the first finds it alive, the kernel ignores the others. A signal that can be caught:
// the last lethal one, because what came before was survived.
Choice Attribution::choose(const Death& death, std::int32_t signal, ProcessId but) const {
  const auto rank = [&](const Shot& shot) {
    return signal == SIGKILL ? std::tuple(true, -shot.time) : std::tuple(shot.lethal, shot.time);
  };
  const auto all = witness_.signals.to(death.process);
  Choice choice;
  for (const Sent& sent : all) {
    if (sent.signal != signal || (but && sent.sender == but)) continue;
    const Shot& shot = signal == SIGKILL ? sent.first : shot_before(sent, death.time);
    if (shot.time > death.time || shot.time + SignalMemory::kRemembered < death.time) continue;
    if (!choice.shot || rank(shot) > rank(*choice.shot)) choice = {.sent = &sent, .shot = &shot};
  }
  for (const Sent& sent : all)
    if (choice.sent && sent.signal == signal && sent.sender != choice.sent->sender &&
        !(but && sent.sender == but) && sent.first.time <= death.time &&
        sent.latest.lethal >= choice.shot->lethal)
      choice.rivals++;
  return choice;
}

Choice Attribution::request(const Death& death) const {
  Choice choice;
  for (const Sent& sent : witness_.requests.to(death.process)) {
    const Shot& shot = shot_before(sent, death.time);
    const auto window = sent.signal == SIGHUP ? kHungUp : kAnswered;
    const bool fits = death.by() == 0 || death.by() == sent.signal;
    if (!fits || shot.time > death.time || shot.time + window < death.time) continue;
    if (!choice.shot || shot.time > choice.shot->time) choice = {.sent = &sent, .shot = &shot};
  }
  return choice;
}

// What made it exit by itself: the signal that its status claims, else a request to end.
Choice Attribution::signal_behind(const Death& death) const {
  if (death.by() == SIGKILL || death.by() == SIGPIPE) return {};
  if (death.by() != 0)
    if (const auto choice = choose(death, death.by(), death.process); choice.sent) return choice;
  return request(death);
}

// Some catch a signal, clean up, and exit: with 0, or with the status that the signal would have
// given.
std::optional<Ending> Attribution::after_signal(const Death& death) const {
  const auto choice = signal_behind(death);
  if (!choice.sent) return {};
  Ending end = begin(death);
  end.cause_signal = choice.sent->signal;
  end.caught = true;
  end.sender = choice.sent->sender;
  if (asks_to_end(choice.sent->signal))
    end.asked = {.signal = choice.sent->signal,
                 .sender = choice.sent->sender,
                 .time = choice.shot->time,
                 .evidence = choice.shot->evidence};
  if (sent_by_process(*choice.sent))
    caught_from_process(end, death, choice);
  else if (choice.sent->by == SignalClass::kernel)
    caught_from_kernel(end, death, choice);
  else
    return {};
  return end;
}

std::optional<Asked> Attribution::asked_before(const Death& death, const Choice& choice) const {
  if (death.signal != SIGKILL || !choice.sent->sender) return {};
  const Sent* asked = nullptr;
  for (const Sent& sent : witness_.requests.to(death.process)) {
    const bool before = sent.latest.time < choice.shot->time;
    if (!before || sent.signal == SIGHUP || !same_hand(sent, *choice.sent)) continue;
    if (!asked || sent.first.time < asked->first.time) asked = &sent;
  }
  if (!asked) return {};
  return Asked{.signal = asked->signal,
               .sender = asked->sender,
               .time = asked->first.time,
               .evidence = asked->first.evidence};
}

// A container runtime starts a helper for each signal that it sends: the same program of the same
// parent, from outside the container.
bool Attribution::same_hand(const Sent& one, const Sent& other) const {
  if (!one.sender || !other.sender) return false;
  if (one.sender == other.sender) return true;
  const Process* first = world_.process(one.sender);
  const Process* second = world_.process(other.sender);
  const bool outside = other.sender_cgroup_id != other.target_cgroup_id &&
                       one.sender_cgroup_id != one.target_cgroup_id;
  return outside && first && second && first->parent && first->parent == second->parent &&
         first->name == second->name;
}

// The kernel ends a pid namespace with its first process (zap_pid_ns_processes), whose exit is
// reported before.
const InitDeath* Attribution::init_death(const Death& death, MonotonicTime before) const {
  constexpr auto kWindow = std::chrono::seconds(1);
  const Process* process = world_.process(death.process);
  if (!process || process->pid_namespace == 0) return nullptr;
  for (const auto& init : std::views::reverse(witness_.inits))
    if (init.pid_namespace == process->pid_namespace && init.process != death.process &&
        init.time <= before && init.time + kWindow >= before)
      return &init;
  return nullptr;
}

const OomKill* Attribution::oom_kill(const Death& death) const {
  const auto found = std::ranges::find(witness_.oom_kills, death.process, &OomKill::victim);
  return found == witness_.oom_kills.end() ? nullptr : &*found;
}

bool Attribution::may_have_caught(const Death& death, const Choice& choice) const {
  const bool own = choice.sent && choice.sent->sender == death.process;
  if (death.by() == SIGKILL || !(own || (death.signal == 0 && !choice.sent))) return false;
  return witness_.lost_others.between(death.time - kPassedOn, death.time) > 0;
}

// The first of a pid namespace below the host's, and what systemd itself started for a service.
bool Attribution::is_main_process(const Death& death) const {
  const Process* process = world_.process(death.process);
  if (!process) return false;
  if (process->virtual_pid == 1 && process->id.pid != 1) return true;
  const Cgroup* cgroup = world_.cgroup(process->cgroup_id);
  return process->parent.pid == 1 && cgroup && cgroup->unit.ends_with(".service");
}

// A signal that it sends after its exit was reported is the kernel's doing, in its name.
bool Attribution::was_ending(const Choice& choice) const {
  const Process* sender = choice.sent->sender ? world_.process(choice.sent->sender) : nullptr;
  return sender && sender->life == Life::exited && sender->exited <= choice.shot->time;
}

// Nothing in the signal of PR_SET_PDEATHSIG says what it is (reparent_leader). It is taken for that
// where the kernel has no other reason to send this one. cgroup.kill sends SIGKILL, and ends the
// parent too where both are in the cgroup.
const Process* Attribution::parent_that_ended(const Ending& end, const Choice& choice) const {
  constexpr auto kWindow = std::chrono::milliseconds(100);
  if (!choice.sent || (end.signal != SIGKILL && has_reason(end.signal))) return nullptr;
  const Process* parent = world_.process(end.parent);
  if (!parent || parent->life != Life::exited || parent->exited > choice.shot->time) return nullptr;
  if (parent->exited + kWindow < choice.shot->time) return nullptr;
  return end.signal == SIGKILL && parent->exit_signal == SIGKILL ? nullptr : parent;
}

Severity severity_of(const Ending& end) {
  if (end.caught) return Severity::info;
  const bool request = asks_to_end(end.cause_signal);
  switch (end.by) {
    case By::oom:
      return Severity::critical;
    case By::fault:
    case By::timer:
      return Severity::warning;
    case By::terminal:
    case By::parent_death:
    case By::namespace_init:
    case By::passed_on:
      return Severity::info;
    case By::process:
      // Who ends its own child does its work, unless the child did not obey.
      if (!end.asked && end.sender && end.sender == end.parent) return Severity::info;
      return request ? Severity::info : Severity::warning;
    case By::self:
    case By::kernel:
    case By::nobody:
    case By::unknown:
      return request || end.cause_signal == SIGPIPE ? Severity::info : Severity::warning;
  }
  return Severity::warning;
}

}  // namespace tapio
