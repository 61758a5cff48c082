// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <csignal>
#include <utility>

#include "evaluate/attribution.hpp"
#include "evaluate/names.hpp"
#include "evaluate/signal_words.hpp"
#include "evaluate/words.hpp"

// What attribution has found, as stories.
namespace tapio {

namespace {

// How sure one may be of each kind of conclusion, before doubts.
constexpr double kLethal = 0.98;     // the kernel itself said that nothing would survive it
constexpr double kCaught = 0.9;      // caught, and then acted upon
constexpr double kDelivered = 0.85;  // delivered, though not lethal when it was sent
constexpr double kNamespaceInit = 0.95;
constexpr double kSeveral = 0.75;
constexpr double kCrowded = 0.7;
constexpr double kHangup = 0.7;  // SIGHUP, which often means something else
constexpr double kNameless = 0.6;
constexpr double kNotFollowed = 0.5;
constexpr double kUnknown = 0.2;
constexpr double kLossFactor = 0.8;

void add_evidence(Story& story, RecordId id) {
  if (id == RecordId{} || std::ranges::find(story.evidence, id) != story.evidence.end()) return;
  story.evidence.push_back(id);
}

std::string after(const Death& death, const Choice& choice) {
  if (!choice.shot) return {};
  return fmt::format(" {} after the signal", in_words(death.time - choice.shot->time));
}

// "SIGTERM to one thread of nginx (pid 900), with tgkill"
std::string shot_at(const Sent& sent, const std::string& whom) {
  const auto signal = signal_name(sent.signal);
  if (sent.by == SignalClass::tkill)
    return fmt::format("{} to one thread of {}, with tgkill", signal, whom);
  if (sent.by == SignalClass::queue) return fmt::format("{} to {}, with sigqueue", signal, whom);
  return fmt::format("{} to {}", signal, whom);
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

double sure(const Choice& choice) {
  return choice.shot->lethal ? kLethal : kDelivered;
}

}  // namespace

std::string Attribution::life_time(const Death& death) const {
  const auto [started, seen] = beginning(death.process, world_);
  if (started > death.time) return {};
  return fmt::format("; it had run for {}{}", seen ? "" : "about ", in_words(death.time - started));
}

void Attribution::add_end(Ending& end, const Death& death, const Choice& choice) const {
  Story& story = end.draft;
  if (choice.raised_again)
    story.chain.push_back(fmt::format("{} caught {} and then sent it to itself", story.entity,
                                      signal_name(death.signal)));
  story.chain.push_back(fmt::format("{} was killed{}{}{}", story.entity, after(death, choice),
                                    death.core_dumped ? " and dumped core" : "", life_time(death)));
  add_evidence(story, death.evidence);
}

// Why it cannot be found any more. In the chain where it belongs in time.
void Attribution::add_end_of_sender(Ending& end, const Choice& choice, MonotonicTime from,
                                    MonotonicTime to) const {
  const Process* process = choice.sent->sender ? world_.process(choice.sent->sender) : nullptr;
  if (!process || process->life != Life::exited) return;
  if (process->exited <= from || process->exited > to) return;
  end.draft.chain.push_back(fmt::format("{} itself ended {} after it had sent it",
                                        who(*choice.sent, *choice.shot, world_),
                                        in_words(process->exited - choice.shot->time)));
}

std::string Attribution::add_sender(Ending& end, const Death& death, const Choice& choice) const {
  const auto& [sent, shot, rivals, raised_again] = choice;
  Story& story = end.draft;
  const auto sender = who(*sent, *shot, world_);
  const Process* process = sent->sender ? world_.process(sent->sender) : nullptr;
  if (const auto ancestors = lineage(sent->sender, shot->time, world_); !ancestors.empty())
    story.chain.push_back(fmt::format("{} started {}", ancestors, sender));
  if (process && process->executed <= shot->time) add_evidence(story, process->exec_evidence);

  auto named = sender;
  if (process && process->credentials && named.ends_with(')'))
    named.replace(named.size() - 1, 1, fmt::format(", user {})", process->credentials->uid));
  story.cause.detail = fmt::format("{} sent {}{}", named, shot_at(*sent, story.entity),
                                   borders(*sent, process, world_.process(death.process)));
  story.chain.push_back(story.cause.detail);
  add_evidence(story, shot->evidence);

  if (was_ending(choice))
    story.chain.push_back(fmt::format(
        "{} was ending then: the kernel sent it in its name (PR_SET_PDEATHSIG)", sender));
  add_end_of_sender(end, choice, shot->time, death.time);
  return sender;
}

// "It had been asked with SIGTERM 10 s before and did not end."
void Attribution::add_request(Ending& end, const Choice& choice) const {
  Story& story = end.draft;
  const auto obeyed_not =
      fmt::format("had been asked with {} {} before and did not end",
                  signal_name(end.asked->signal), in_words(choice.shot->time - end.asked->time));
  story.title += fmt::format(": it {}", obeyed_not);
  story.chain.insert(story.chain.begin(), fmt::format("{} {}", story.entity, obeyed_not));
  if (end.asked->evidence != RecordId{})
    story.evidence.insert(story.evidence.begin(), end.asked->evidence);
}

void Attribution::by_process(Ending& end, const Death& death, const Choice& choice) const {
  Story& story = end.draft;
  end.by = was_ending(choice) ? By::parent_death : By::process;
  end.asked = asked_before(death, choice);
  const auto sender = add_sender(end, death, choice);
  const auto signal = signal_name(death.signal);
  story.title = fmt::format("{} was killed with {} by {}", story.entity, signal, sender);
  story.cause.kind = "process";
  story.cause.entity = choice.sent->sender ? sender : "";
  story.confidence = choice.raised_again ? kCaught : sure(choice);
  if (!choice.sent->sender) story.confidence = kNameless;
  if (end.by == By::parent_death)
    story.title = fmt::format(
        "{} was killed with {} because {}, whose end it had tied its own to, "
        "ended (PR_SET_PDEATHSIG)",
        story.entity, signal, sender);
  add_end(end, death, choice);
  add_end_of_sender(end, choice, death.time, MonotonicTime::max());
  if (end.asked) add_request(end, choice);
  add_doubts(end, death, choice);
}

void Attribution::by_itself(Ending& end, const Death& death, const Choice& choice) const {
  Story& story = end.draft;
  end.by = By::self;
  const auto signal = signal_name(death.signal);
  const auto* const as_abort = death.signal == SIGABRT ? ", as abort() does" : "";
  story.title = fmt::format("{} killed itself with {}", story.entity, signal);
  story.cause = {.kind = "self",
                 .entity = story.entity,
                 .detail = fmt::format("it sent {} to itself{}", signal, as_abort)};
  story.confidence = sure(choice);
  story.chain.push_back(fmt::format("{} sent {} to itself{}", story.entity, signal, as_abort));
  add_evidence(story, choice.shot->evidence);
  add_end(end, death, choice);
  add_doubts(end, death, choice);
}

void Attribution::by_fault(Ending& end, const Death& death, const Choice& choice) const {
  Story& story = end.draft;
  end.by = By::fault;
  const auto detail = fault_detail(death.signal, choice.sent->code);
  const auto signal = signal_name(death.signal);
  story.title = fmt::format("{} crashed with {}: {}", story.entity, signal, detail);
  story.cause = {.kind = "fault", .entity = story.entity, .detail = detail};
  story.confidence = sure(choice);
  story.chain.push_back(
      fmt::format("an instruction of {} raised {}: {}", story.entity, signal, detail));
  add_evidence(story, choice.shot->evidence);
  add_end(end, death, choice);
  add_doubts(end, death, choice);
}

void Attribution::by_timer(Ending& end, const Death& death, const Choice& choice) const {
  Story& story = end.draft;
  end.by = By::timer;
  const auto signal = signal_name(death.signal);
  story.title = fmt::format("{} was killed with {} by its own timer", story.entity, signal);
  story.cause = {
      .kind = "timer",
      .entity = story.entity,
      .detail = fmt::format("a timer that it had set itself ran out and sent {}", signal)};
  story.confidence = sure(choice);
  story.chain.push_back(
      fmt::format("a timer that {} had set itself ran out and sent {}", story.entity, signal));
  add_evidence(story, choice.shot->evidence);
  add_end(end, death, choice);
  add_doubts(end, death, choice);
}

// `choice` is empty where the kernel kills without a signal.
void Attribution::by_kernel(Ending& end, const Death& death, const Choice& choice,
                            int generation) const {
  const auto since = choice.shot ? choice.shot->time : death.time;
  const auto* init = death.signal == SIGKILL ? init_death(death, since) : nullptr;
  if (const auto* parent = init ? nullptr : parent_that_ended(end, choice))
    return by_parent_death(end, death, choice, *parent);
  Story& story = end.draft;
  const auto signal = signal_name(death.signal);
  const auto reason = kernel_reason(death.signal);
  story.cause = {
      .kind = "kernel", .entity = std::string(reason.who), .detail = std::string(reason.detail)};
  story.confidence = reason.confidence;
  const bool by_terminal = reason.who.starts_with("terminal");
  end.by = by_terminal ? By::terminal : By::kernel;
  story.title = fmt::format("{} was killed with {} by {} {}", story.entity, signal,
                            by_terminal ? "its" : "the", reason.who);
  if (init)
    with_namespace(end, *init, generation);
  else if (death.signal != SIGKILL && !by_terminal)
    story.title += fmt::format(": {}", reason.detail);
  story.chain.push_back(story.cause.detail);
  if (choice.shot) {
    story.chain.push_back(fmt::format("the kernel sent {} to {}", signal, story.entity));
    add_evidence(story, choice.shot->evidence);
  }
  add_end(end, death, choice);
  add_doubts(end, death, choice);
}

void Attribution::by_parent_death(Ending& end, const Death& death, const Choice& choice,
                                  const Process& parent) const {
  Story& story = end.draft;
  const auto signal = signal_name(death.signal);
  const auto who = label(parent.name, parent.id);
  end.by = By::parent_death;
  end.sender = parent.id;
  story.title = fmt::format("{} was killed with {} because its parent {} ended (PR_SET_PDEATHSIG)",
                            story.entity, signal, who);
  story.cause = {.kind = "process",
                 .entity = who,
                 .detail = fmt::format("{} ended, and the kernel sent {} to its child, as that had "
                                       "asked it to",
                                       who, signal)};
  story.confidence = kCaught;
  story.chain.push_back(fmt::format("{} ended", who));
  story.chain.push_back(fmt::format("the kernel sent {} to {} {} later", signal, story.entity,
                                    in_words(choice.shot->time - parent.exited)));
  add_evidence(story, choice.shot->evidence);
  add_end(end, death, choice);
  add_doubts(end, death, choice);
}

// And why that one ended, if it is known.
void Attribution::with_namespace(Ending& end, const InitDeath& init, int generation) const {
  Story& story = end.draft;
  end.by = By::namespace_init;
  const Death* death = witness_.deaths.find(init.process);
  auto cause = death && generation < kMaxPassedOn ? std::optional(explain(*death, generation + 1))
                                                  : std::nullopt;
  if (cause && cause->draft.confidence < kNameless) cause.reset();
  const auto how =
      cause ? cause->draft.title.substr(cause->draft.entity.size()) : std::string(" ended");
  story.title +=
      fmt::format(" because {}, the first process of its pid namespace,{}", init.who, how);
  story.cause.detail = fmt::format(
      "{}, the first process of its pid namespace, ended, and the kernel ends the others with it",
      init.who);
  story.confidence = kNamespaceInit;
  story.severity = Severity::info;
  if (cause) {
    story.severity = cause->draft.severity;
    story.confidence = std::min(kNamespaceInit, cause->draft.confidence);
    story.chain = std::move(cause->draft.chain);
    story.evidence = std::move(cause->draft.evidence);
  }
  add_evidence(story, init.evidence);
}

// In short: the story of the OOM killer, with figures, is a folder of its own.
void Attribution::by_oom(Ending& end, const Death& death, const OomKill& kill) const {
  Story& story = end.draft;
  end.by = By::oom;
  end.sender = {};
  story.title =
      fmt::format("{} was killed with SIGKILL by the kernel: out of memory", story.entity);
  story.cause = {.kind = "kernel",
                 .entity = "kernel",
                 .detail = "memory ran out, and the OOM killer chose it"};
  story.confidence = kLethal;
  story.chain.push_back(story.cause.detail);
  add_evidence(story, kill.evidence);
  add_end(end, death, {});
}

std::string Attribution::unknown_because(const Death& death) const {
  const auto signal = signal_name(death.signal);
  const auto from = death.time - SignalMemory::kRemembered;
  const auto since = world_.watching_since();
  if (const auto lost = witness_.lost_deadly.between(from, death.time))
    return fmt::format("{} critical records were lost in the {} before", lost,
                       in_words(SignalMemory::kRemembered));
  if (since.count() == 0)
    return fmt::format("no {} to it was seen, and it is not known since when all is", signal);
  if (since > from)
    return fmt::format("no {} to it was seen; all is seen only since {} before its end", signal,
                       in_words(std::max(death.time - since, {})));
  return fmt::format("no {} that says who sent it was seen in the {} before", signal,
                     in_words(SignalMemory::kRemembered));
}

void Attribution::by_nobody_known(Ending& end, const Death& death) const {
  Story& story = end.draft;
  end.by = By::unknown;
  const auto signal = signal_name(death.signal);
  story.title = fmt::format("{} died by {}: cause unknown", story.entity, signal);
  story.cause = {.kind = "unknown", .entity = "", .detail = unknown_because(death)};
  story.confidence = kUnknown;
  story.chain = {story.cause.detail,
                 fmt::format("{} died by {}{}{}", story.entity, signal,
                             death.core_dumped ? " and dumped core" : "", life_time(death))};
  add_evidence(story, death.evidence);
}

void Attribution::add_doubts(Ending& end, const Death& death, const Choice& choice) const {
  Story& story = end.draft;
  const auto signal = signal_name(end.cause_signal);
  if (choice.rivals > 0) {
    story.confidence = std::min(story.confidence, kSeveral);
    story.chain.push_back(fmt::format("{} other{} sent {} too: it may have been {}", choice.rivals,
                                      choice.rivals == 1 ? "" : "s", signal,
                                      choice.rivals == 1 ? "that one" : "one of them"));
  }
  if (witness_.signals.crowded(death.process)) {
    story.confidence = std::min(story.confidence, kCrowded);
    story.chain.push_back("more signals were sent to it than are remembered");
  }
  const auto since = (choice.shot ? choice.shot->time : death.time) - std::chrono::seconds(1);
  if (const auto lost = witness_.lost_deadly.between(since, death.time)) {
    story.confidence *= kLossFactor;
    story.chain.push_back(fmt::format(
        "{} critical records were lost meanwhile: another signal may have come unseen", lost));
  }
  if (may_have_caught(death, choice)) {
    story.confidence *= kLossFactor;
    story.chain.push_back(fmt::format(
        "{} records of signals were lost in the {} before: it may have caught a {} unseen",
        witness_.lost_others.between(death.time - kPassedOn, death.time), in_words(kPassedOn),
        signal));
  }
}

void Attribution::by_nobody(Ending& end, const Death& death) const {
  Story& story = end.draft;
  end.by = By::nobody;
  story.title = fmt::format("{} exited with status {} by itself{}", story.entity, death.code,
                            may_have_caught(death, {}) ? "" : ": nobody killed it");
  story.cause = {
      .kind = "self",
      .entity = story.entity,
      .detail = fmt::format("exited by itself with status {}; no signal killed it", death.code)};
  story.confidence = kLethal;
  story.chain = {fmt::format("{} exited by itself with status {}; no signal killed it{}",
                             story.entity, death.code, life_time(death)),
                 fmt::format("no child of it that died by {} was seen in the {} before",
                             signal_name(death.by()), in_words(kPassedOn))};
  add_evidence(story, death.evidence);
  add_doubts(end, death, {});
}

// A shell reports what its last command died of as 128+n (POSIX, Shell Command Language, 2.8.2).
std::optional<Ending> Attribution::passed_on(const Death& death, int generation) const {
  const Death* child = witness_.deaths.child_of(death, death.by(), kPassedOn);
  if (!child) return {};
  Story childs;
  if (generation < kMaxPassedOn) {
    childs = explain(*child, generation + 1).draft;
  } else {
    childs.entity = who(*child, world_);
    childs.title = fmt::format("{} ended so too, why is not followed further", childs.entity);
    childs.confidence = kNotFollowed;
  }
  Ending end = begin(death);
  end.by = By::passed_on;
  Story& story = end.draft;
  story.severity = childs.severity;
  story.title = fmt::format("{} exited with status {} because its child {}", story.entity,
                            death.code, childs.title);
  story.cause = {
      .kind = "self",
      .entity = childs.entity,
      .detail = fmt::format("no signal killed it: it passed on that its child {}", childs.title)};
  story.confidence = childs.confidence;
  story.chain = std::move(childs.chain);
  story.evidence = std::move(childs.evidence);
  story.chain.push_back(fmt::format("{}, its parent, exited by itself with status {}, {} later",
                                    story.entity, death.code, in_words(death.time - child->time)));
  add_evidence(story, death.evidence);
  return end;
}

void Attribution::caught_from_process(Ending& end, const Death& death, const Choice& choice) const {
  Story& story = end.draft;
  end.by = By::process;
  story.cause.kind = "process";
  const auto sender = add_sender(end, death, choice);
  story.cause.entity = choice.sent->sender ? sender : "";
  story.title = fmt::format("{} exited with status {} after {} from {}", story.entity, death.code,
                            signal_name(end.cause_signal), sender);
  story.confidence = choice.sent->signal == SIGHUP && death.by() == 0 ? kHangup : kCaught;
  story.chain.push_back(fmt::format("{} caught it and exited by itself with status {},{}{}",
                                    story.entity, death.code, after(death, choice),
                                    life_time(death)));
  add_evidence(story, death.evidence);
  add_end_of_sender(end, choice, death.time, MonotonicTime::max());
  add_doubts(end, death, choice);
}

void Attribution::caught_from_kernel(Ending& end, const Death& death, const Choice& choice) const {
  Story& story = end.draft;
  const auto signal = signal_name(end.cause_signal);
  const auto reason = kernel_reason(end.cause_signal);
  end.by = reason.who.starts_with("terminal") ? By::terminal : By::kernel;
  story.cause = {
      .kind = "kernel", .entity = std::string(reason.who), .detail = std::string(reason.detail)};
  story.chain.push_back(fmt::format("the kernel sent {}: {}", signal, reason.detail));
  add_evidence(story, choice.shot->evidence);
  story.title = fmt::format("{} exited with status {} after {} from the {}", story.entity,
                            death.code, signal, reason.who);
  story.confidence = kCaught;
  story.chain.push_back(fmt::format("{} caught it and exited by itself with status {},{}{}",
                                    story.entity, death.code, after(death, choice),
                                    life_time(death)));
  add_evidence(story, death.evidence);
  add_doubts(end, death, choice);
}

}  // namespace tapio
