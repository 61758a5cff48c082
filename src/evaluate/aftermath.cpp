// SPDX-License-Identifier: Apache-2.0
#include "evaluate/aftermath.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "evaluate/names.hpp"
#include "evaluate/words.hpp"

namespace tapio {

namespace {

// The World shortens the arguments of the dead when text runs short.
constexpr std::size_t kComparedArgs = 100;

bool same_args(std::string_view one, std::string_view other) {
  if (one.empty() || other.empty()) return true;
  return one.substr(0, kComparedArgs) == other.substr(0, kComparedArgs);
}

bool same_program(const Process& one, const Process& other) {
  const ProcessImage &a = *one.image, &b = *other.image;
  return !a.executable.empty() && a.executable == b.executable &&
         same_args(a.args_text, b.args_text);
}

constexpr std::size_t kShortId = 12;  // of a container's id, as runtimes show it

std::string_view container_of(std::uint64_t cgroup_id, const World& world) {
  const Cgroup* cgroup = cgroup_id != 0 ? world.cgroup(cgroup_id) : nullptr;
  return cgroup ? std::string_view(cgroup->container_id) : std::string_view();
}

std::size_t hash(std::string_view executable) {
  return std::hash<std::string_view>{}(executable);
}

std::string_view ordinal_suffix(std::size_t n) {
  if (n % 100 >= 11 && n % 100 <= 13) return "th";
  return n % 10 == 1 ? "st" : n % 10 == 2 ? "nd" : n % 10 == 3 ? "rd" : "th";
}

// "12 ms later"
std::string distance(MonotonicTime from, MonotonicTime to) {
  if (from == to) return "at the same time";
  return from <= to ? in_words(to - from) + " later" : in_words(from - to) + " before";
}

}  // namespace

void Aftermath::on_fact(const Fact& fact) {
  std::visit([this](const auto& known) { on(known); }, fact);
}

// Threads that end at once may each report the end of their process.
void Aftermath::on(const ProcessExited& fact) {
  const auto [place, added] = by_id_.try_emplace(fact.process, nullptr);
  if (!added) return;
  exits_.push_back({.process = fact.process,
                    .cgroup_id = fact.cgroup_id,
                    .time = fact.time,
                    .signal = fact.signal,
                    .code = fact.code,
                    .name = std::string(fact.name)});
  place->second = &exits_.back();
  if (exits_.size() <= kMaxExits) return;
  by_id_.erase(exits_.front().process);
  exits_.pop_front();
}

// A walk finds what has long been there.
void Aftermath::on(const CgroupCreated& fact) {
  if (fact.evidence == RecordId{}) return;
  made_.push_back({.cgroup_id = fact.cgroup_id, .time = fact.time});
  if (made_.size() > kMaxCgroups) made_.pop_front();
}

void Aftermath::on_ending(const Ending& ending) {
  if (Exit* exit = exit_of(ending.process)) exit->sender = ending.sender;
}

// An exec follows its fork: one entry, with the time of the latest, serves both.
void Aftermath::note_start(ProcessId process, MonotonicTime time) {
  if (!starts_.empty() && starts_.back().process == process) {
    starts_.back() = {.process = process, .time = time};
    return;
  }
  starts_.push_back({.process = process, .time = time});
  if (starts_.size() > kMaxStarts) starts_.pop_front();
}

Aftermath::Exit* Aftermath::exit_of(ProcessId process) const {
  const auto found = by_id_.find(process);
  return found == by_id_.end() ? nullptr : found->second;
}

// False: it runs another program than the one with this hash, or one that is not known.
bool Aftermath::may_be(Start& start, std::size_t program, const World& world) {
  if (start.program == 0) {
    const Process* process = world.process(start.process);
    if (process && !process->image->executable.empty())
      start.program = hash(process->image->executable);
  }
  return start.program == program;
}

bool Aftermath::is_taken(ProcessId successor) const {
  return std::ranges::find(restarts_, successor, &Restart::successor) != restarts_.end();
}

// The same program, with the same arguments, by the same parent or in the same place.
const Aftermath::Restart* Aftermath::restart_of(const Exit& victim, const World& world) {
  const auto known = std::ranges::find(restarts_, victim.process, &Restart::victim);
  if (known != restarts_.end()) return &*known;
  const Process* before = world.process(victim.process);
  if (!before) return nullptr;
  const auto workload = workload_of(victim.cgroup_id, world).id;
  const auto program = hash(before->image->executable);
  for (Start& start : starts_) {
    if (start.time <= victim.time || start.time > victim.time + kWindow) continue;
    if (!may_be(start, program, world)) continue;
    const Process* next = world.process(start.process);
    if (!next) continue;
    if (next->id == before->id || !same_program(*before, *next) || is_taken(next->id)) continue;
    const bool same_parent = next->parent && next->parent == before->parent;
    if (!same_parent && (workload.empty() || workload_of(next->cgroup_id, world).id != workload))
      continue;
    restarts_.push_back(
        {.victim = victim.process,
         .successor = next->id,
         .time = start.time,
         .forked = next->executed.count() == 0,
         .program = fmt::format("{} {}", workload.empty() ? text(before->parent) : workload,
                                before->image->executable)});
    if (restarts_.size() > kMaxRestarts) restarts_.pop_front();
    return &restarts_.back();
  }
  return nullptr;
}

std::size_t Aftermath::count(const Restart& latest) const {
  return static_cast<std::size_t>(std::ranges::count_if(restarts_, [&](const Restart& each) {
    return each.program == latest.program && each.time <= latest.time &&
           each.time + kCounted >= latest.time;
  }));
}

std::string Aftermath::sentence(const Restart& restart, const Exit& victim,
                                const World& world) const {
  const auto after = in_words(restart.time - victim.time);
  auto line = restart.forked
                  ? fmt::format("its parent forked another one, pid {}, after {}",
                                restart.successor.pid, after)
                  : fmt::format("started again as pid {} after {}", restart.successor.pid, after);
  const Process* next = world.process(restart.successor);
  const auto before = container_of(victim.cgroup_id, world);
  const auto now = next ? container_of(next->cgroup_id, world) : std::string_view();
  if (!before.empty() && !now.empty() && before != now)
    line += fmt::format(", in a new container, {}", now.substr(0, kShortId));
  if (const auto times = count(restart); times > 1)
    line += fmt::format(", the {}{} time in {}", times, ordinal_suffix(times), in_words(kCounted));
  return line;
}

// The main process may be another one than was killed: a worker takes its container with it.
std::string Aftermath::begun_again(const Exit& victim, const World& world) const {
  const auto own = workload_of(victim.cgroup_id, world);
  if (own.id.empty()) return {};
  for (const Made& made : made_) {
    if (made.cgroup_id == victim.cgroup_id || made.time <= victim.time ||
        made.time > victim.time + kWindow)
      continue;
    if (workload_of(made.cgroup_id, world).id != own.id) continue;
    const auto container = container_of(made.cgroup_id, world);
    const auto after = in_words(made.time - victim.time);
    if (own.kind == "pod" && container.empty()) continue;  // the pod's own cgroup
    if (own.kind == "pod")
      return fmt::format("its pod got a new container, {}, after {}", container.substr(0, kShortId),
                         after);
    return fmt::format("its {} was started again after {}", own.kind, after);
  }
  return {};
}

// Nobody is older than the one it descends from.
bool Aftermath::is_descendant(Exit& exit, ProcessId of, const World& world) {
  const Process* process = exit.parent ? nullptr : world.process(exit.process);
  if (process) exit.parent = process->parent;
  ProcessId parent = exit.parent;
  for (std::size_t i = 0; parent && i < World::kMaxAncestors; ++i) {
    if (parent.start_ticks < of.start_ticks) return false;
    if (parent == of) return true;
    process = world.process(parent);
    parent = process ? process->parent : ProcessId{};
  }
  return false;
}

// What `exit` has to do with the end of `own`, which ran in `workload`; "": nothing that is known.
std::string Aftermath::relation(Exit& exit, const Exit& own, const Workload& workload,
                                const World& world) {
  const bool soon = exit.time <= own.time + kBefore;
  if (exit.time >= own.time && (soon || exit.abnormal()) && is_descendant(exit, own.process, world))
    return exit.parent == own.process ? "its child" : "its descendant";
  if (own.sender && exit.sender == own.sender) return "by the same sender,";
  if (!exit.abnormal() || workload.id.empty()) return {};
  const bool is_same =
      exit.cgroup_id == own.cgroup_id || workload_of(exit.cgroup_id, world).id == workload.id;
  return is_same ? fmt::format("of the same {},", workload.kind) : std::string();
}

std::string Aftermath::sentence(const Exit& exit, const Exit& own, const World& world) {
  const auto how = exit.signal != 0 ? "died by " + signal_name(exit.signal)
                                    : fmt::format("exited with status {}", exit.code);
  const Process* process = world.process(exit.process);
  const bool named = process && process->executed.count() != 0 && !process->name.empty();
  return fmt::format("{} {}, {}", label(named ? process->name : exit.name, exit.process), how,
                     distance(own.time, exit.time));
}

std::vector<std::string> Aftermath::of(const Story& story, const World& world) {
  std::vector<std::string> lines;
  const Exit* own = story.process ? exit_of(story.process) : nullptr;
  if (!own) return lines;
  if (const auto* restart = restart_of(*own, world))
    lines.push_back(sentence(*restart, *own, world));
  else if (auto again = begun_again(*own, world); !again.empty())
    lines.push_back(std::move(again));
  const auto workload = workload_of(own->cgroup_id, world);
  std::size_t more = 0;
  for (Exit& exit : exits_) {
    if (exit.process == own->process || exit.time + kBefore < own->time ||
        exit.time > own->time + kWindow)
      continue;
    const auto why = relation(exit, *own, workload, world);
    if (why.empty()) continue;
    if (lines.size() < kMaxLines)
      lines.push_back(fmt::format("{} {}", why, sentence(exit, *own, world)));
    else
      more++;
  }
  if (more > 0) lines.push_back(fmt::format("and {} more", more));
  return lines;
}

}  // namespace tapio
