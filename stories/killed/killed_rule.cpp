// SPDX-License-Identifier: Apache-2.0
#include "killed_rule.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <csignal>
#include <ranges>
#include <tuple>

#include "evaluate/words.hpp"
#include "killed_words.hpp"

namespace tapio::killed {
namespace {

// How sure one may be of each kind of conclusion, before doubts.
constexpr double kLethal = 0.98;     // the kernel itself said that nothing would survive it
constexpr double kCaught = 0.9;      // caught, and then acted upon
constexpr double kDelivered = 0.85;  // delivered, though not lethal when it was sent
constexpr double kNamespaceInit = 0.95;
constexpr double kSeveral = 0.75;
constexpr double kCrowded = 0.7;
constexpr double kNameless = 0.6;
constexpr double kUnknown = 0.2;
constexpr double kLossFactor = 0.8;

constexpr std::string_view kWitness = "process";  // the observer whose losses matter

// The name it got by its exec, which says more than what it made of that (node's is "MainThread").
// Who never executed has a name of its own only if it took one, and then the last record knows it.
std::string who(const Death& death, const World& world) {
  const Process* process = world.process(death.process);
  const bool own = process && process->executed.count() != 0;
  const auto known = process ? std::string_view(process->name) : std::string_view();
  const auto name = (own && !known.empty()) || death.name.empty() ? known : death.name;
  return label(name, death.process);
}

std::string who(const Sent& sent, const Shot& shot, const World& world) {
  if (!sent.sender) return "a process that is not known";
  const Process* process = world.process(sent.sender);
  // The comm in the signal is that of the sending thread; the name of the process says more, but
  // where it is only that of the parent.
  const bool forked = process && process->executed.count() == 0 && process->started.count() != 0;
  const bool same = process && !process->name.empty() && process->executed <= shot.time &&
                    !(forked && !sent.sender_name.empty());
  return label(same ? process->name : sent.sender_name, sent.sender);
}

void add_evidence(Story& story, RecordId id) {
  if (id == RecordId{} || std::ranges::find(story.evidence, id) != story.evidence.end()) return;
  story.evidence.push_back(id);
}

Story begin(const Death& death, const World& world) {
  Story story;
  story.time = death.time;
  story.entity = who(death, world);
  return story;
}

// ", it had run for 3 h". From the start in ticks it is only about right: a suspend counts there.
std::string life_time(const Death& death, const World& world) {
  const Process* process = world.process(death.process);
  const bool seen = process && process->started.count() != 0;
  const auto started =
      seen ? process->started
           : MonotonicTime(static_cast<std::int64_t>(death.process.start_ticks * kNsPerTick));
  if (started > death.time) return {};
  return fmt::format("; it had run for {}{}", seen ? "" : "about ", in_words(death.time - started));
}

std::string after(const Death& death, const Choice& choice) {
  if (!choice.shot) return {};
  return fmt::format(" {} after the signal", in_words(death.time - choice.shot->time));
}

void add_end(Story& story, const Death& death, const Choice& choice, const World& world) {
  if (choice.raised_again)
    story.chain.push_back(fmt::format("{} caught {} and then sent it to itself", story.entity,
                                      signal_name(death.signal)));
  story.chain.push_back(fmt::format("{} was killed{}{}{}", story.entity, after(death, choice),
                                    death.core_dumped ? " and dumped core" : "",
                                    life_time(death, world)));
  add_evidence(story, death.evidence);
}

// "SIGTERM to one thread of nginx (pid 900), with tgkill"
std::string shot_at(const Sent& sent, const std::string& whom) {
  const auto signal = signal_name(sent.signal);
  if (sent.by == SignalClass::tkill)
    return fmt::format("{} to one thread of {}, with tgkill", signal, whom);
  if (sent.by == SignalClass::queue) return fmt::format("{} to {}, with sigqueue", signal, whom);
  return fmt::format("{} to {}", signal, whom);
}

// Why it cannot be found any more. In the chain where it belongs in time.
void add_end_of_sender(Story& story, const Choice& choice, const World& world, MonotonicTime from,
                       MonotonicTime to) {
  const Process* process = choice.sent->sender ? world.process(choice.sent->sender) : nullptr;
  if (!process || process->life != Life::exited) return;
  if (process->exited <= from || process->exited > to) return;
  story.chain.push_back(fmt::format("{} itself ended {} after it had sent it",
                                    who(*choice.sent, *choice.shot, world),
                                    in_words(process->exited - choice.shot->time)));
}

// ", from another cgroup and from another pid namespace, where it has pid 5".
std::string borders(const Sent& sent, const Process* sender, const Process* target) {
  std::string text;
  if (sent.sender_cgroup_id != 0 && sent.target_cgroup_id != 0 &&
      sent.sender_cgroup_id != sent.target_cgroup_id)
    text = ", from another cgroup";
  if (!sender || !target || sender->pid_namespace == 0 || target->pid_namespace == 0 ||
      sender->pid_namespace == target->pid_namespace)
    return text;
  text += text.empty() ? ", " : " and ";
  text += "from another pid namespace";
  if (sender->virtual_pid != 0 && sender->virtual_pid != sender->id.pid)
    text += fmt::format(", where it has pid {}", sender->virtual_pid);
  return text;
}

// "systemd (pid 1) › bash (pid 700)", the eldest first.
std::string lineage(ProcessId id, MonotonicTime time, const World& world) {
  std::string text;
  for (const Process* ancestor : std::views::reverse(world.ancestors(id))) {
    if (!text.empty()) text += " › ";
    text += label_at(*ancestor, time);
  }
  return text;
}

}  // namespace

void KilledRule::on_fact(const Fact& fact, const World& world, Tell& tell) {
  std::visit([&](const auto& known) { on(known, world, tell); }, fact);
}

void KilledRule::on_time(MonotonicTime now, const World& world, Tell& tell) {
  deaths_.settle(now, [&](const Death& death) { settled(death, world, tell); });
  signals_.forget(now);
}

void KilledRule::on(const ProcessExecuted& fact, const World&, Tell&) {
  execs_.push_back({.process = fact.process, .time = fact.time, .evidence = fact.evidence});
  if (execs_.size() > kMaxExecs) execs_.pop_front();
}

void KilledRule::on(const ProcessExited& fact, const World& world, Tell& tell) {
  Death death{.process = fact.process,
              .parent = fact.parent,
              .time = fact.time,
              .evidence = fact.evidence,
              .signal = fact.signal,
              .code = fact.code,
              .core_dumped = fact.core_dumped,
              .name = std::string(fact.name)};
  const Process* process = world.process(fact.process);
  if (process && process->virtual_pid == 1 && process->pid_namespace != 0) {
    inits_.push_back({.process = fact.process,
                      .pid_namespace = process->pid_namespace,
                      .time = fact.time,
                      .evidence = fact.evidence,
                      .who = who(death, world)});
    if (inits_.size() > kMaxInits) inits_.pop_front();
  }
  if (death.by() != 0)
    deaths_.note(std::move(death), [&](const Death& known) { settled(known, world, tell); });
}

void KilledRule::on(const Lost& fact, const World&, Tell&) {
  if (fact.observer != kWitness) return;
  if (fact.event_class == TAPIO_CRITICAL) lost_deadly_.note(fact);
  if (fact.event_class == TAPIO_NORMAL) lost_others_.note(fact);
}

void KilledRule::settled(const Death& death, const World& world, Tell& tell) const {
  if (auto story = explain(death, world, 0)) tell.push_back(std::move(*story));
}

std::optional<Story> KilledRule::explain(const Death& death, const World& world,
                                         int generation) const {
  return death.signal != 0 ? explain_signal(death, world, generation)
                           : explain_status(death, world, generation);
}

// A writer at the end of a pipeline dies by SIGPIPE every day, by the kernel's hand or, as the
// kernel has it (SEND_SIG_NOINFO in pipe_write), its own. Only somebody else's is a story.
std::optional<Story> KilledRule::explain_signal(const Death& death, const World& world,
                                                int generation) const {
  Story story = begin(death, world);
  Choice choice = choose(death, death.signal);
  if (const auto origin = caught_before(death, choice); origin.sent) choice = origin;
  const bool own = choice.sent && choice.sent->sender == death.process;
  const auto by = choice.sent ? choice.sent->by : SignalClass::unknown;
  if (death.signal == SIGPIPE && (own || !choice.sent || by == SignalClass::kernel)) return {};

  if (death.signal == SIGSYS && !choice.sent)
    by_kernel(story, death, choice, world,
              generation);  // seccomp may kill without a signal (do_group_exit)
  else if (own && death.signal == SIGXFSZ && by == SignalClass::user)
    by_kernel(story, death, choice, world, generation);  // send_sig(SIGXFSZ, current, 0)
  else if (own)
    by_itself(story, death, choice, world);
  else if (by == SignalClass::timer)
    by_timer(story, death, choice, world);
  else if (by == SignalClass::kernel_fault || (by == SignalClass::kernel && is_fault(death.signal)))
    by_fault(story, death, choice, world);
  else if (by == SignalClass::kernel)
    by_kernel(story, death, choice, world, generation);
  else if (by == SignalClass::unknown)
    by_nobody_known(story, death, world);
  else
    by_process(story, death, choice, world);
  return story;
}

// Whose signal it was that the target caught and then sent to itself, as well-behaved programs do.
Choice KilledRule::caught_before(const Death& death, const Choice& raised) const {
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
Choice KilledRule::choose(const Death& death, std::int32_t signal, ProcessId but) const {
  const auto rank = [&](const Shot& shot) {
    return signal == SIGKILL ? std::tuple(true, -shot.time) : std::tuple(shot.lethal, shot.time);
  };
  Choice choice;
  for (const Sent& sent : signals_.to(death.process)) {
    if (sent.signal != signal || (but && sent.sender == but)) continue;
    const Shot& shot =
        signal == SIGKILL || sent.latest.time > death.time ? sent.first : sent.latest;
    if (shot.time > death.time || shot.time + SignalMemory::kRemembered < death.time) continue;
    if (!choice.shot || rank(shot) > rank(*choice.shot)) choice = {.sent = &sent, .shot = &shot};
  }
  for (const Sent& sent : signals_.to(death.process))
    if (choice.sent && sent.signal == signal && sent.sender != choice.sent->sender &&
        !(but && sent.sender == but) && sent.first.time <= death.time &&
        sent.latest.lethal >= choice.shot->lethal)
      choice.rivals++;
  return choice;
}

std::string KilledRule::add_sender(Story& story, const Death& death, const Choice& choice,
                                   const World& world) const {
  const auto& [sent, shot, rivals, raised_again] = choice;
  const auto sender = who(*sent, *shot, world);
  const Process* process = sent->sender ? world.process(sent->sender) : nullptr;
  if (const auto ancestors = lineage(sent->sender, shot->time, world); !ancestors.empty())
    story.chain.push_back(fmt::format("{} started {}", ancestors, sender));
  if (const auto* exec = exec_of(sent->sender, shot->time)) add_evidence(story, exec->evidence);

  auto named = sender;
  if (process && process->credentials_known && named.ends_with(')'))
    named.replace(named.size() - 1, 1, fmt::format(", user {})", process->credentials.uid));
  story.cause.detail = fmt::format("{} sent {}{}", named, shot_at(*sent, story.entity),
                                   borders(*sent, process, world.process(death.process)));
  story.chain.push_back(story.cause.detail);
  add_evidence(story, shot->evidence);

  if (process && process->life == Life::exited && process->exited <= shot->time)
    story.chain.push_back(fmt::format(
        "{} was ending then: the kernel sent it in its name (PR_SET_PDEATHSIG)", sender));
  add_end_of_sender(story, choice, world, shot->time, death.time);
  return sender;
}

void KilledRule::by_process(Story& story, const Death& death, const Choice& choice,
                            const World& world) const {
  const auto sender = add_sender(story, death, choice, world);
  const auto signal = signal_name(death.signal);
  story.title = fmt::format("{} was killed with {} by {}", story.entity, signal, sender);
  story.cause.kind = "process";
  story.cause.entity = choice.sent->sender ? sender : "";
  story.confidence = choice.raised_again ? kCaught : choice.shot->lethal ? kLethal : kDelivered;
  if (!choice.sent->sender) story.confidence = kNameless;
  add_end(story, death, choice, world);
  add_end_of_sender(story, choice, world, death.time, MonotonicTime::max());
  add_doubts(story, death, choice);
}

void KilledRule::by_itself(Story& story, const Death& death, const Choice& choice,
                           const World& world) const {
  const auto signal = signal_name(death.signal);
  story.title = fmt::format("{} killed itself with {}", story.entity, signal);
  story.cause = {.kind = "self",
                 .entity = story.entity,
                 .detail = fmt::format("it sent {} to itself{}", signal,
                                       death.signal == SIGABRT ? ", as abort() does" : "")};
  story.confidence = choice.shot->lethal ? kLethal : kDelivered;
  story.chain.push_back(fmt::format("{} sent {} to itself{}", story.entity, signal,
                                    death.signal == SIGABRT ? ", as abort() does" : ""));
  add_evidence(story, choice.shot->evidence);
  add_end(story, death, choice, world);
  add_doubts(story, death, choice);
}

void KilledRule::by_fault(Story& story, const Death& death, const Choice& choice,
                          const World& world) const {
  const auto detail = fault_detail(death.signal, choice.sent->code);
  const auto signal = signal_name(death.signal);
  story.title = fmt::format("{} crashed with {}: {}", story.entity, signal, detail);
  story.cause = {.kind = "fault", .entity = story.entity, .detail = detail};
  story.confidence = choice.shot->lethal ? kLethal : kDelivered;
  story.chain.push_back(
      fmt::format("an instruction of {} raised {}: {}", story.entity, signal, detail));
  add_evidence(story, choice.shot->evidence);
  add_end(story, death, choice, world);
  add_doubts(story, death, choice);
}

void KilledRule::by_timer(Story& story, const Death& death, const Choice& choice,
                          const World& world) const {
  const auto signal = signal_name(death.signal);
  story.title = fmt::format("{} was killed with {} by its own timer", story.entity, signal);
  story.cause = {
      .kind = "timer",
      .entity = story.entity,
      .detail = fmt::format("a timer that it had set itself ran out and sent {}", signal)};
  story.confidence = choice.shot->lethal ? kLethal : kDelivered;
  story.chain.push_back(
      fmt::format("a timer that {} had set itself ran out and sent {}", story.entity, signal));
  add_evidence(story, choice.shot->evidence);
  add_end(story, death, choice, world);
  add_doubts(story, death, choice);
}

// `choice` is empty where the kernel kills without a signal.
void KilledRule::by_kernel(Story& story, const Death& death, const Choice& choice,
                           const World& world, int generation) const {
  const auto signal = signal_name(death.signal);
  const auto reason = kernel_reason(death.signal);
  const auto since = choice.shot ? choice.shot->time : death.time;
  story.cause = {
      .kind = "kernel", .entity = std::string(reason.who), .detail = std::string(reason.detail)};
  story.confidence = reason.confidence;
  const bool by_terminal = reason.who.starts_with("terminal");
  story.title = fmt::format("{} was killed with {} by {} {}", story.entity, signal,
                            by_terminal ? "its" : "the", reason.who);
  if (const auto* init = death.signal == SIGKILL ? init_death(death, since, world) : nullptr)
    with_namespace(story, *init, world, generation);
  else if (death.signal != SIGKILL && !by_terminal)
    story.title += fmt::format(": {}", reason.detail);
  story.chain.push_back(story.cause.detail);
  if (choice.shot) {
    story.chain.push_back(fmt::format("the kernel sent {} to {}", signal, story.entity));
    add_evidence(story, choice.shot->evidence);
  }
  add_end(story, death, choice, world);
  add_doubts(story, death, choice);
}

// And why that one ended, if it is known.
void KilledRule::with_namespace(Story& story, const InitDeath& init, const World& world,
                                int generation) const {
  const Death* death = deaths_.find(init.process);
  auto cause = death && generation < kMaxPassedOn ? explain(*death, world, generation + 1)
                                                  : std::optional<Story>();
  if (cause && cause->confidence < kNameless) cause.reset();
  const auto how = cause ? cause->title.substr(cause->entity.size()) : " ended";
  story.title +=
      fmt::format(" because {}, the first process of its pid namespace,{}", init.who, how);
  story.cause.detail = fmt::format(
      "{}, the first process of its pid namespace, ended, and the kernel ends the others with it",
      init.who);
  story.confidence = kNamespaceInit;
  if (cause) {
    story.confidence = std::min(kNamespaceInit, cause->confidence);
    story.chain = std::move(cause->chain);
    story.evidence = std::move(cause->evidence);
  }
  add_evidence(story, init.evidence);
}

void KilledRule::by_nobody_known(Story& story, const Death& death, const World& world) const {
  const auto signal = signal_name(death.signal);
  const auto from = death.time - SignalMemory::kRemembered;
  const auto since = world.watching_since();
  if (const auto lost = lost_deadly_.between(from, death.time))
    story.cause.detail = fmt::format("{} critical records were lost in the {} before", lost,
                                     in_words(SignalMemory::kRemembered));
  else if (since.count() == 0)
    story.cause.detail =
        fmt::format("no {} to it was seen, and it is not known since when all is", signal);
  else if (since > from)
    story.cause.detail =
        fmt::format("no {} to it was seen; all is seen only since {} before its end", signal,
                    in_words(std::max(death.time - since, {})));
  else
    story.cause.detail = fmt::format("no {} that says who sent it was seen in the {} before",
                                     signal, in_words(SignalMemory::kRemembered));
  story.title = fmt::format("{} died by {}: cause unknown", story.entity, signal);
  story.cause.kind = "unknown";
  story.confidence = kUnknown;
  story.chain = {story.cause.detail,
                 fmt::format("{} died by {}{}{}", story.entity, signal,
                             death.core_dumped ? " and dumped core" : "", life_time(death, world))};
  add_evidence(story, death.evidence);
}

void KilledRule::add_doubts(Story& story, const Death& death, const Choice& choice) const {
  if (choice.rivals > 0) {
    story.confidence = std::min(story.confidence, kSeveral);
    story.chain.push_back(fmt::format("{} other{} sent {} too: it may have been {}", choice.rivals,
                                      choice.rivals == 1 ? "" : "s", signal_name(death.by()),
                                      choice.rivals == 1 ? "that one" : "one of them"));
  }
  if (signals_.crowded(death.process)) {
    story.confidence = std::min(story.confidence, kCrowded);
    story.chain.push_back("more signals were sent to it than are remembered");
  }
  const auto since = (choice.shot ? choice.shot->time : death.time) - std::chrono::seconds(1);
  if (const auto lost = lost_deadly_.between(since, death.time)) {
    story.confidence *= kLossFactor;
    story.chain.push_back(fmt::format(
        "{} critical records were lost meanwhile: another signal may have come unseen", lost));
  }
  if (may_have_caught(death, choice)) {
    story.confidence *= kLossFactor;
    story.chain.push_back(fmt::format(
        "{} records of signals were lost in the {} before: it may have caught a {} unseen",
        lost_others_.between(death.time - kPassedOn, death.time), in_words(kPassedOn),
        signal_name(death.by())));
  }
}

std::optional<Story> KilledRule::explain_status(const Death& death, const World& world,
                                                int generation) const {
  if (death.by() == SIGPIPE) return {};
  if (auto story = passed_on(death, world, generation)) return story;
  if (auto story = after_signal(death, world)) return story;
  Story story = begin(death, world);
  story.title = fmt::format("{} exited with status {} by itself{}", story.entity, death.code,
                            may_have_caught(death, {}) ? "" : ": nobody killed it");
  story.cause = {
      .kind = "self",
      .entity = story.entity,
      .detail = fmt::format("exited by itself with status {}; no signal killed it", death.code)};
  story.confidence = kLethal;
  story.chain = {fmt::format("{} exited by itself with status {}; no signal killed it{}",
                             story.entity, death.code, life_time(death, world)),
                 fmt::format("no child of it that died by {} was seen in the {} before",
                             signal_name(death.by()), in_words(kPassedOn))};
  add_evidence(story, death.evidence);
  add_doubts(story, death, {});
  return story;
}

// A shell reports what its last command died of as 128+n (POSIX, Shell Command Language, 2.8.2).
std::optional<Story> KilledRule::passed_on(const Death& death, const World& world,
                                           int generation) const {
  const Death* child = deaths_.child_of(death, death.by(), kPassedOn);
  if (!child) return {};
  auto childs = generation < kMaxPassedOn ? explain(*child, world, generation + 1) : std::nullopt;
  if (!childs) {
    childs = begin(*child, world);
    childs->title = fmt::format("{} ended so too, why is not followed further", childs->entity);
    childs->confidence = 0.5;
  }
  Story story = begin(death, world);
  story.title = fmt::format("{} exited with status {} because its child {}", story.entity,
                            death.code, childs->title);
  story.cause = {
      .kind = "self",
      .entity = childs->entity,
      .detail = fmt::format("no signal killed it: it passed on that its child {}", childs->title)};
  story.confidence = childs->confidence;
  story.chain = std::move(childs->chain);
  story.evidence = std::move(childs->evidence);
  story.chain.push_back(fmt::format("{}, its parent, exited by itself with status {}, {} later",
                                    story.entity, death.code, in_words(death.time - child->time)));
  add_evidence(story, death.evidence);
  return story;
}

// Some catch a signal, clean up, and exit with the status that the signal would have given.
std::optional<Story> KilledRule::after_signal(const Death& death, const World& world) const {
  const auto choice = choose(death, death.by(), death.process);
  if (!choice.sent || death.by() == SIGKILL) return {};
  Story story = begin(death, world);
  const auto signal = signal_name(death.by());
  const bool by_kernel = choice.sent->by == SignalClass::kernel;
  const bool by_process = choice.sent->by == SignalClass::user ||
                          choice.sent->by == SignalClass::tkill ||
                          choice.sent->by == SignalClass::queue;
  if (by_process) {
    story.cause.kind = "process";
    const auto sender = add_sender(story, death, choice, world);
    story.cause.entity = choice.sent->sender ? sender : "";
    story.title = fmt::format("{} exited with status {} after {} from {}", story.entity, death.code,
                              signal, sender);
  } else if (by_kernel) {
    const auto reason = kernel_reason(death.by());
    story.cause = {
        .kind = "kernel", .entity = std::string(reason.who), .detail = std::string(reason.detail)};
    story.chain.push_back(fmt::format("the kernel sent {}: {}", signal, reason.detail));
    add_evidence(story, choice.shot->evidence);
    story.title = fmt::format("{} exited with status {} after {} from the {}", story.entity,
                              death.code, signal, reason.who);
  } else {
    return {};
  }
  story.confidence = kCaught;
  story.chain.push_back(fmt::format("{} caught it and exited by itself with status {},{}{}",
                                    story.entity, death.code, after(death, choice),
                                    life_time(death, world)));
  add_evidence(story, death.evidence);
  add_end_of_sender(story, choice, world, death.time, MonotonicTime::max());
  add_doubts(story, death, choice);
  return story;
}

// The kernel ends a pid namespace with its first process (zap_pid_ns_processes), whose exit is
// reported before.
const KilledRule::InitDeath* KilledRule::init_death(const Death& death, MonotonicTime before,
                                                    const World& world) const {
  constexpr auto kWindow = std::chrono::seconds(1);
  const Process* process = world.process(death.process);
  if (!process || process->pid_namespace == 0) return nullptr;
  for (const auto& init : std::views::reverse(inits_))
    if (init.pid_namespace == process->pid_namespace && init.process != death.process &&
        init.time <= before && init.time + kWindow >= before)
      return &init;
  return nullptr;
}

const KilledRule::Exec* KilledRule::exec_of(ProcessId process, MonotonicTime before) const {
  if (!process) return nullptr;
  for (const auto& exec : std::views::reverse(execs_))
    if (exec.process == process && exec.time <= before) return &exec;
  return nullptr;
}

bool KilledRule::may_have_caught(const Death& death, const Choice& choice) const {
  const bool own = choice.sent && choice.sent->sender == death.process;
  if (death.by() == SIGKILL || !(own || (death.signal == 0 && !choice.sent))) return false;
  return lost_others_.between(death.time - kPassedOn, death.time) > 0;
}

void KilledRule::Losses::note(const Lost& fact) {
  windows_.push_back({.from = fact.from, .to = fact.to, .count = fact.count});
  if (windows_.size() <= kMaxWindows) return;
  const Window oldest = windows_.front();
  windows_.pop_front();
  Window& next = windows_.front();
  next = {.from = std::min(oldest.from, next.from),
          .to = std::max(oldest.to, next.to),
          .count = oldest.count + next.count};
}

std::uint64_t KilledRule::Losses::between(MonotonicTime from, MonotonicTime to) const {
  std::uint64_t count = 0;
  for (const auto& window : windows_)
    if (window.from <= to && window.to >= from) count += window.count;
  return count;
}

}  // namespace tapio::killed
