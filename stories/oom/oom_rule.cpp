// SPDX-License-Identifier: Apache-2.0
#include "oom_rule.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <csignal>

#include "evaluate/words.hpp"
#include "oom_growth.hpp"

namespace tapio::oom {

namespace {

constexpr std::string_view kLogObserver = "kmsg";

// The name it got by its exec says more than what one of its threads calls itself.
std::string who(const Victim& victim, const World& world) {
  const Process* process = victim.process ? world.process(victim.process) : nullptr;
  const bool own = process && process->executed.count() != 0 && !process->name.empty();
  return label(own ? std::string_view(process->name) : victim.name(), victim.pid);
}

std::string limit_in_words(const Figures& figures) {
  return figures.limit == kNoLimit ? "no limit" : "a limit of " + size_in_words(figures.limit);
}

std::string title(const std::string& entity, const Scope& scope) {
  const auto killed = entity + " was killed by the OOM killer";
  switch (scope.kind) {
    case Scope::Kind::unknown:
      return killed + ", cause unknown";
    case Scope::Kind::node:
      return killed + ": the node ran out of memory";
    case Scope::Kind::nodes_allowed:
      return killed + ": the memory nodes that it may use had no memory left";
    case Scope::Kind::cgroup:
      break;
  }
  const auto& limit = scope.swap_is_full ? scope.swap : scope.memory;
  if (!limit || limit->limit == kNoLimit)
    return fmt::format("{}: {} used all of its limit", killed, scope.name());
  return fmt::format("{}: {} used all of its limit of {}{}", killed, scope.name(),
                     size_in_words(limit->limit),
                     scope.swap_is_full ? " for memory and swap together" : "");
}

// "neighbour (pid 3) 14 MiB, hog (pid 4, the victim) 9 MiB"
std::string consumers_in_words(const Victim& victim, const std::vector<Consumer>& consumers) {
  std::string text;
  for (const Consumer& consumer : consumers) {
    const auto name = consumer.name.empty() ? "a process" : std::string_view(consumer.name);
    fmt::format_to(std::back_inserter(text), "{}{} (pid {}{}) {}", text.empty() ? "" : ", ", name,
                   consumer.pid, consumer.pid == victim.pid ? ", the victim" : "",
                   size_in_words(consumer.rss));
  }
  return text;
}

const Consumer* largest(const Victim& victim) {
  if (!victim.reported || victim.reported->consumers.empty()) return nullptr;
  return &victim.reported->consumers.front();
}

// Whoever is as large as the largest is not less to blame: the victim goes first.
bool victim_is_largest(const Victim& victim) {
  const auto& consumers = victim.reported->consumers;
  return std::ranges::any_of(consumers, [&](const Consumer& consumer) {
    return consumer.pid == victim.pid && consumer.rss >= consumers.front().rss;
  });
}

Cause cause_of(const Victim& victim, const Scope& scope, const std::string& entity) {
  Cause cause{.kind = "oom", .entity = entity, .detail = {}};
  if (scope.kind == Scope::Kind::unknown)
    cause.detail = "nothing seen says which limit was hit, or whether the node was out of memory";
  else if (scope.kind != Scope::Kind::cgroup)
    cause.detail = scope.name() + " had no memory left";
  else if (scope.memory && scope.memory->limit != kNoLimit)
    cause.detail =
        fmt::format("{} reached its limit of {}", scope.name(), size_in_words(scope.memory->limit));
  else
    cause.detail = scope.name() + " reached its limit";
  const Consumer* most = largest(victim);
  if (!most) {
    cause.detail += "; who used most is not known";
  } else if (victim_is_largest(victim)) {
    cause.detail += fmt::format("; {} itself used most, {}", entity, size_in_words(most->rss));
  } else {
    cause.entity = label(most->name, most->pid);
    cause.detail += fmt::format("; {} used most, {}", cause.entity, size_in_words(most->rss));
  }
  return cause;
}

void add_growth(Story& story, const Victim& victim, const Scope& scope, const World& world) {
  if (scope.kind != Scope::Kind::cgroup) return;
  if (scope.cgroup_id == 0) {
    story.missing.emplace_back("growth before the kill: the id of the cgroup is not known");
    return;
  }
  auto points = world.memory(scope.cgroup_id);
  std::erase_if(points, [&](const MemoryPoint& point) { return point.time > victim.time; });
  const bool measured = !points.empty();
  if (measured && scope.memory)
    points.push_back(
        {.time = victim.time, .usage = scope.memory->usage, .max = scope.memory->limit});
  if (const auto text = growth(points))
    story.chain.push_back(fmt::format("memory of {} {}", scope.name(), *text));
  else
    story.missing.emplace_back(
        "growth before the kill: the cgroup is not measured, or too young for two readings");
}

void add_allocation(Story& story, const Victim& victim, const Scope& scope) {
  std::string asking;
  std::string_view source = kLog;
  if (victim.killed && victim.killed->fact.running) {
    asking = label(victim.killed->running_name, victim.killed->fact.running.pid);
    source = kStructs;
  } else if (victim.reported && !victim.reported->invoker.empty()) {
    const auto tid = victim.reported->fact.invoker_pid;
    asking = tid != 0 ? label(victim.reported->invoker, tid) : victim.reported->invoker;
  }
  if (!asking.empty())
    story.chain.push_back(fmt::format("{} asked for memory, and {} had none left ({})", asking,
                                      scope.name(), source));
}

void add_limit(Story& story, const Victim& victim, const Scope& scope) {
  if (scope.memory) {
    story.chain.push_back(fmt::format("{} used {}, with {} ({})", scope.name(),
                                      size_in_words(scope.memory->usage),
                                      limit_in_words(*scope.memory), scope.memory->source));
    if (victim.reported && victim.reported->fact.usage_logged &&
        victim.reported->fact.failures != 0)
      story.chain.back() += fmt::format("; the limit was hit {} times so far ({})",
                                        victim.reported->fact.failures, kLog);
  }
  if (scope.swap)
    story.chain.push_back(fmt::format("{} used {} of {}, with {} ({})", scope.name(),
                                      size_in_words(scope.swap->usage),
                                      scope.with_memory ? "memory and swap together" : "swap",
                                      limit_in_words(*scope.swap), scope.swap->source));
  if (scope.kind == Scope::Kind::cgroup && scope.own) {
    const bool named = victim.reported && !victim.reported->task_memcg.empty();
    const auto own = named ? " " + victim.reported->task_memcg : std::string();
    story.chain.push_back(
        *scope.own ? "it is the limit of the victim's own cgroup"
                   : fmt::format("it is the limit of a parent: the victim is in cgroup{}",
                                 named ? own : " another one below it"));
  }
  if (scope.concluded)
    story.chain.push_back(scope.kind == Scope::Kind::cgroup
                              ? "that it was this limit is concluded: usage had reached it"
                              : "that it was the node is concluded: no cgroup of the victim was at "
                                "its limit");
}

// "it had 9 MiB resident (8.5 MiB anonymous, 544 KiB of files), oom_score_adj 0"
std::string choice_in_words(const Victim& victim) {
  const bool structs = victim.killed.has_value();
  const auto anon = structs ? victim.killed->fact.anon_rss : victim.reported->fact.anon_rss;
  const auto file = structs ? victim.killed->fact.file_rss : victim.reported->fact.file_rss;
  const auto shmem = structs ? victim.killed->fact.shmem_rss : victim.reported->fact.shmem_rss;
  const auto score = structs ? victim.killed->fact.score_adj : victim.reported->fact.score_adj;
  auto text = fmt::format("it had {} resident ({} anonymous, {} of files, {} shared)",
                          size_in_words(anon + file + shmem), size_in_words(anon),
                          size_in_words(file), size_in_words(shmem));
  if (structs && victim.killed->fact.swap != 0)
    text += fmt::format(" and {} in swap", size_in_words(victim.killed->fact.swap));
  return fmt::format("{}, oom_score_adj {} ({})", text, score, structs ? kStructs : kLog);
}

void add_choice(Story& story, const Victim& victim) {
  if (largest(victim)) {
    const auto seen = victim.reported->fact.tasks_seen;
    const auto shown = victim.reported->consumers.size();
    story.chain.push_back(
        fmt::format("largest of {} {}: {} ({})", seen, seen == 1 ? "process" : "processes",
                    consumers_in_words(victim, victim.reported->consumers), kLog));
    if (seen == shown && seen == 1) story.chain.back().replace(0, 7, "the only");
  }
  const bool with_group = victim.reported && !victim.reported->group.empty() &&
                          victim.reported->fact.chosen_pid != victim.pid;
  if (with_group)
    story.chain.push_back(fmt::format(
        "the kernel killed all of cgroup {} together, as its memory.oom.group is set ({}): {}",
        victim.reported->group, kLog, choice_in_words(victim)));
  else
    story.chain.push_back(
        fmt::format("the kernel chose {}: {}", story.entity, choice_in_words(victim)));
}

void add_end(Story& story, const Victim& victim) {
  if (!victim.exit) {
    story.chain.push_back("its end was not seen");
    return;
  }
  const bool killed = victim.exit->signal == SIGKILL;
  auto text = killed ? fmt::format("{} died by SIGKILL", story.entity)
                     : fmt::format("{} ended otherwise before that: {}", story.entity,
                                   victim.exit->signal != 0
                                       ? signal_name(victim.exit->signal)
                                       : fmt::format("exit status {}", victim.exit->code));
  // The log's time is too rough to subtract.
  if (killed && victim.killed && victim.exit->time >= victim.time)
    text += " " + in_words(victim.exit->time - victim.time) + " later";
  story.chain.push_back(std::move(text));
}

void add_evidence(Story& story, RecordId id) {
  if (id != RecordId{}) story.evidence.push_back(id);
}

}  // namespace

void OomRule::on_fact(const Fact& fact, const World& world, Tell& tell) {
  const auto settled = [&](const Victim& victim) { tell.push_back(explain(victim, world)); };
  if (const auto* killed = std::get_if<OomKilled>(&fact)) victims_.note(*killed, settled);
  if (const auto* report = std::get_if<OomReported>(&fact)) victims_.note(*report, world, settled);
  if (const auto* exit = std::get_if<ProcessExited>(&fact)) victims_.note(*exit);
  if (const auto* lost = std::get_if<Lost>(&fact)) note_loss(*lost);
  if (const auto* detected = std::get_if<Detected>(&fact)) foreseen_.note(*detected);
  if (const auto* consumers = std::get_if<CgroupConsumers>(&fact)) foreseen_.note(*consumers);
}

void OomRule::on_time(MonotonicTime now, const World& world, Tell& tell) {
  victims_.settle(now, [&](const Victim& victim) { tell.push_back(explain(victim, world)); });
}

void OomRule::note_loss(const Lost& fact) {
  if (fact.observer != kLogObserver) return;
  losses_.push_back({.from = fact.from, .to = fact.to, .count = fact.count});
  if (losses_.size() > kMaxLosses) losses_.pop_front();
}

std::uint64_t OomRule::lost_around(MonotonicTime time) const {
  std::uint64_t count = 0;
  for (const Loss& loss : losses_)
    if (loss.from <= time + Victims::kSettle && loss.to + Victims::kSettle >= time)
      count += loss.count;
  return count;
}

Story OomRule::explain(const Victim& victim, const World& world) {
  const Scope scope = scope_of(victim, world);
  const Process* process = victim.process ? world.process(victim.process) : nullptr;
  Story story;
  story.time = victim.time;
  story.entity = who(victim, world);
  story.process = victim.process;
  story.cgroup_id = victim.killed ? victim.killed->fact.cgroup_id
                    : process     ? process->cgroup_id
                                  : 0;
  story.severity = scope.kind == Scope::Kind::cgroup ? Severity::warning : Severity::critical;
  story.title = title(story.entity, scope);
  story.cause = cause_of(victim, scope, story.entity);
  story.confidence = scope.confidence;
  add_growth(story, victim, scope, world);
  add_prediction(story, victim, scope, foreseen_, world);
  add_state(story, victim, scope, world);
  add_allocation(story, victim, scope);
  add_limit(story, victim, scope);
  add_looked(story, victim, scope);
  add_choice(story, victim);
  add_badness(story, victim, scope, world);
  add_end(story, victim);
  add_impact(story, victim, world);
  add_missing(story, victim);
  if (victim.killed) add_evidence(story, victim.killed->fact.evidence);
  if (victim.reported) add_evidence(story, victim.reported->fact.evidence);
  if (victim.exit) add_evidence(story, victim.exit->evidence);
  return story;
}

// Who used most, by /proc, when the log does not say.
void OomRule::add_looked(Story& story, const Victim& victim, const Scope& scope) const {
  if (largest(victim) || scope.kind != Scope::Kind::cgroup) return;
  const auto* looked = foreseen_.largest(scope.cgroup_id, victim.time);
  if (!looked || looked->consumers.empty()) return;
  story.chain.push_back(fmt::format("largest of {} {}: {} (/proc, {} before the kill)",
                                    looked->seen, looked->seen == 1 ? "process" : "processes",
                                    consumers_in_words(victim, looked->consumers),
                                    in_words(victim.time - looked->time)));
}

void OomRule::add_impact(Story& story, const Victim& victim, const World& world) const {
  for (const Victim* other : victims_.with(victim))
    story.impact.push_back(who(*other, world) + " was killed by the OOM killer at the same time");
}

void OomRule::add_missing(Story& story, const Victim& victim) const {
  if (!victim.killed)
    story.missing.emplace_back(
        "kernel structs at the kill: no hook told of it; figures are those of the kernel log");
  const auto lost = lost_around(victim.time);
  const auto why = lost != 0 ? fmt::format("{} of its records were overwritten unread", lost)
                             : std::string("nothing about this kill was read");
  if (!victim.reported)
    story.missing.push_back(
        fmt::format("kernel log: {}, so the constraint and other processes are not known", why));
  else if (victim.reported->invoker.empty())
    story.missing.emplace_back(
        "kernel log: only the line about the victim, the report was left out (its rate is limited) "
        "or lost");
  else if (victim.reported->consumers.empty())
    story.missing.emplace_back(
        "table of tasks: not logged, as when the sysctl vm.oom_dump_tasks is 0");
}

}  // namespace tapio::oom
