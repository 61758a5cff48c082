// SPDX-License-Identifier: Apache-2.0
#include "process_crash_loop.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <csignal>
#include <map>

namespace tapio::process {

namespace {

constexpr std::int32_t kOwnFaults[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGTRAP, SIGSYS};

std::uint64_t bit(std::int32_t signal) {
  return signal > 0 && signal <= 64 ? std::uint64_t{1} << (signal - 1) : 0;
}

std::string_view program_of(const Process& process) {
  const std::string& executable = process.image->executable;
  return executable.empty() ? std::string_view(process.name) : std::string_view(executable);
}

bool is_shell(const Process* process) {
  constexpr std::string_view kShells[] = {"sh",  "bash", "dash", "ash",    "zsh",
                                          "ksh", "mksh", "fish", "busybox"};
  if (!process) return false;
  const std::string_view path = program_of(*process);
  return std::ranges::find(kShells, path.substr(path.rfind('/') + 1)) != std::end(kShells);
}

bool has_executed(const Process& process) {
  return process.executed.count() != 0 && process.executed >= process.started;
}

// A service that is started again gets a new cgroup, mostly of the same name.
std::string place_of(std::uint64_t cgroup_id, ProcessId starter, const World& world) {
  if (const Cgroup* cgroup = world.cgroup(cgroup_id)) {
    if (!cgroup->pod_uid.empty()) return "pod " + cgroup->pod_uid;
    if (!cgroup->container_id.empty()) return fmt::format("container {}", cgroup->container_id);
    if (!cgroup->user_unit.empty())
      return fmt::format("unit {} {}", cgroup->unit, cgroup->user_unit);
    if (!cgroup->unit.empty()) return fmt::format("unit {}", cgroup->unit);
  }
  return fmt::format("child of {} {}", starter.pid, starter.start_ticks);
}

std::string how(std::int32_t signal, std::int32_t code) {
  return signal != 0 ? signal_name(signal) : fmt::format("exit status {}", code);
}

}  // namespace

void CrashLoop::on(const ProcessStarted& fact) {
  births_.use(fact.process) = {.cgroup_id = fact.cgroup_id, .name = std::string(fact.name)};
}

void CrashLoop::on(const SignalSent& fact) {
  if (!fact.lethal || fact.sender == fact.target) return;
  const std::uint64_t sent = bit(fact.signal);
  const bool by_kernel = fact.by == SignalClass::kernel && fact.signal == SIGKILL;
  if (!by_kernel && !fact.sender) return;
  Sent& known = sent_.use(fact.target);
  if ((known.by_others | known.by_kernel) & sent) return;  // the first SIGKILL is the one
  (by_kernel ? known.by_kernel : known.by_others) |= sent;
}

// By its own fault, or the kernel's decision.
bool CrashLoop::crashed(const ProcessExited& fact) {
  const Sent* sent = sent_.find(fact.process);
  if (fact.signal == SIGKILL) return sent && (sent->by_kernel & bit(SIGKILL));
  if (std::ranges::find(kOwnFaults, fact.signal) == std::end(kOwnFaults)) return false;
  return !sent || !(sent->by_others & bit(fact.signal));
}

void CrashLoop::on(const ProcessExited& fact, Output& out) {
  const World& world = out.world();
  const Process* process = world.process(fact.process);
  const bool crash = crashed(fact);
  if (process && (crash || (fact.signal == 0 && fact.code != 0)) &&
      fact.time - process->begun() < kShortLife) {
    const auto starter = starter_of(fact, *process, world);
    if (crash || starter == Starter::manager) {
      const auto program = program_of(*process);
      Loop& loop = note(loop_of(fact, *process, starter, world), fact);
      if (is_loop(loop, starter) && loop.incident.tell(fact.time)) tell(loop, fact, program, out);
    }
  }
  sent_.erase(fact.process);
  births_.erase(fact.process);
}

// What has to be the same each time. Who only forked has the program and the arguments of the one
// that forked it, so what it does, and how it ends, must tell it from others.
std::string CrashLoop::loop_of(const ProcessExited& fact, const Process& process, Starter starter,
                               const World& world) {
  const auto program = program_of(process);
  if (starter == Starter::manager)
    return fmt::format("{}\n{}", program, place_of(fact.cgroup_id, fact.parent, world));
  auto child = fmt::format("{}\nchild of {} {} {}", program, fact.parent.pid,
                           fact.parent.start_ticks, process.image->args_text);
  if (starter != Starter::fork) return child;
  return fmt::format("{}\n{} by {}", child, fact.name, fact.signal);
}

CrashLoop::Starter CrashLoop::starter_of(const ProcessExited& fact, const Process& process,
                                         const World& world) {
  if (!has_executed(process)) return Starter::fork;
  if (is_managed(fact, process, world)) return Starter::manager;
  return is_shell(world.process(fact.parent)) ? Starter::shell : Starter::other;
}

// Started by a service manager or a container runtime: who starts it puts it into another cgroup
// than its own, or is the first process of all.
bool CrashLoop::is_managed(const ProcessExited& fact, const Process& process, const World& world) {
  // Of a container its main process alone: commands that are run inside, like probes, may fail.
  const bool contained = process.virtual_pid != 0 && process.virtual_pid != process.id.pid;
  if (contained && process.virtual_pid != 1) return false;
  const Birth* birth = births_.find(fact.process);
  if (birth && birth->cgroup_id != 0 && fact.cgroup_id != 0 && birth->cgroup_id != fact.cgroup_id)
    return true;
  const Process* starter = world.process(fact.parent);
  if (process.parent != fact.parent || is_shell(starter)) return false;  // an orphan
  if (fact.parent.pid == 1) return true;
  // The manager of a user's services may fork into the new cgroup at once.
  return starter && starter->name == "systemd" && starter->cgroup_id != 0 &&
         starter->cgroup_id != fact.cgroup_id;
}

CrashLoop::Loop& CrashLoop::note(const std::string& key, const ProcessExited& fact) {
  Loop& loop = loops_.use(key);
  while (!loop.recent.empty() && loop.recent.front().time + kWindow < fact.time)
    loop.recent.pop_front();
  if (loop.recent.empty()) loop = {.first = fact.time};
  if (loop.recent.size() >= kMaxDeaths) loop.recent.pop_front();
  loop.recent.push_back({.time = fact.time, .signal = fact.signal, .code = fact.code});
  loop.count++;
  loop.because.add(fact.evidence);
  return loop;
}

bool CrashLoop::is_loop(const Loop& loop, Starter starter) const {
  const auto latest = loop.recent.back().time;
  const auto within = starter == Starter::shell ? kWindowOfShell : kWindow;
  std::uint32_t crashes = 0, all = 0;
  for (const Death& death : loop.recent) {
    if (death.time + within < latest) continue;
    all++;
    crashes += death.signal != 0;
  }
  switch (starter) {
    case Starter::manager:
      return crashes >= deaths_ || all >= exits_;
    case Starter::shell:
      return crashes >= deaths_ + kMoreByShell;
    case Starter::fork:
      return crashes >= deaths_ + kMoreWorkers && latest - loop.recent.front().time >= kWorkersFor;
    case Starter::other:
      return crashes >= deaths_;
  }
  return false;
}

void CrashLoop::tell(const Loop& loop, const ProcessExited& fact, std::string_view program,
                     Output& out) {
  std::map<std::string, std::size_t> ways;
  for (const Death& death : loop.recent) ways[how(death.signal, death.code)]++;
  const auto most = std::ranges::max_element(ways, {}, [](const auto& way) { return way.second; });
  const auto window = fact.time - loop.first;
  const Birth* birth = births_.find(fact.process);
  const auto starter =
      name_of_parent(fact.parent, birth ? std::string_view(birth->name) : "", out.world());
  report({.detected = {.time = fact.time,
                       .what = Detection::crash_loop,
                       .severity = Severity::warning,
                       .process = fact.process,
                       .process_name = fact.name,
                       .other = fact.parent,
                       .other_name = starter,
                       .cgroup_id = fact.cgroup_id,
                       .count = loop.count,
                       .window = window,
                       .executable = program,
                       .detail = most->first},
          .summary =
              fmt::format("{} ended {} times in {}, mostly with {}; {} starts it again", program,
                          loop.count, seconds(window), most->first, label(starter, fact.parent)),
          .suggestion = "The first death says more than the later ones; look at its log and core."},
         loop.because, out);
}

}  // namespace tapio::process
