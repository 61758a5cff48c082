// SPDX-License-Identifier: Apache-2.0
#include "process_exec_failures.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <system_error>

namespace tapio::process {

namespace {

constexpr std::int32_t kExitExec = 203;  // systemd.exec(5): it could not start the program

std::string reason(std::int32_t error, std::int32_t status) {
  return error != 0 ? std::generic_category().message(error)
                    : fmt::format("exit status {}", status);
}

}  // namespace

void ExecFailures::on(const ExecFailed& fact, Output& out) {
  Attempt attempt{.process = fact.process,
                  .parent = fact.parent,
                  .latest = std::string(fact.filename),
                  .name = std::string(fact.name),
                  .error = fact.error,
                  .status = fact.status,
                  .cgroup_id = fact.cgroup_id,
                  .evidence = fact.evidence};
  if (fact.status != 0) {  // concluded from its end, which counts once
    if (fact.process == counted_ || attempts_.find(fact.process)) return;
    counted_ = fact.process;
    return failed(fact.parent, attempt, fact.time, out);
  }
  Attempt& known = attempts_.use(fact.process);
  const bool again = !known.first.empty() && known.first == fact.filename;
  attempt.first = known.first.empty() ? attempt.latest : known.first;
  known = std::move(attempt);
  if (again) failed(fact.process, known, fact.time, out);
}

void ExecFailures::on(const ProcessExited& fact, Output& out) {
  const Attempt* known = attempts_.find(fact.process);
  if (!known) return;
  const Attempt attempt = *known;
  attempts_.erase(fact.process);
  if (fact.code == 0 && fact.signal == 0) return;  // it did without
  counted_ = fact.process;
  failed(attempt.parent, attempt, fact.time, out);
}

void ExecFailures::failed(ProcessId who, const Attempt& attempt, MonotonicTime now, Output& out) {
  Loop& loop = loops_.use(fmt::format("{} {} {}", who.pid, who.start_ticks, attempt.latest));
  note(loop, attempt, now);
  if (is_loop(loop, who, attempt, out.world()) && loop.incident.tell(now))
    tell(loop, who, attempt, now, out);
}

void ExecFailures::note(Loop& loop, const Attempt& attempt, MonotonicTime now) {
  while (!loop.recent.empty() && loop.recent.front() + kWindow < now) loop.recent.pop_front();
  if (loop.recent.empty()) loop = {.first = now};
  if (loop.recent.size() >= kMaxFailures) loop.recent.pop_front();
  loop.recent.push_back(now);
  loop.count++;
  loop.because.add(attempt.evidence);
}

bool ExecFailures::is_loop(const Loop& loop, ProcessId who, const Attempt& attempt,
                           const World& world) const {
  const Process* starter = world.process(who);
  const bool named = !attempt.latest.empty();
  const bool elsewhere = starter && starter->cgroup_id != 0 && attempt.cgroup_id != 0 &&
                         starter->cgroup_id != attempt.cgroup_id;
  // A shell's cgroup may be known wrongly, when it was moved, and its 127 is an ordinary answer.
  const bool supervised = who.pid == 1 || attempt.status == kExitExec || (named && elsewhere);
  if (supervised && loop.recent.size() >= std::min(kBySupervisor, failures_)) return true;
  if (named) return loop.recent.size() >= failures_;
  if (loop.recent.size() < failures_ * kTimesUnnamed) return false;
  std::chrono::nanoseconds longest{};
  for (std::size_t i = 1; i < loop.recent.size(); ++i)
    longest = std::max(longest, loop.recent[i] - loop.recent[i - 1]);
  const auto intervals = static_cast<std::int64_t>(loop.recent.size() - 1);
  return longest <= (loop.recent.back() - loop.recent.front()) / intervals * kRegular;
}

void ExecFailures::tell(const Loop& loop, ProcessId who, const Attempt& attempt, MonotonicTime now,
                        Output& out) {
  const auto name = name_of_parent(who, attempt.name, out.world());
  const Process* known = out.world().process(who);
  const std::string why = reason(attempt.error, attempt.status);
  const auto window = now - loop.first;
  const bool by_child = attempt.process != who;
  report(
      {.detected = {.time = now,
                    .what = Detection::exec_failure_loop,
                    .severity = Severity::warning,
                    .process = who,
                    .process_name = name,
                    .other = by_child ? attempt.process : ProcessId{},
                    .cgroup_id = known && known->cgroup_id ? known->cgroup_id : attempt.cgroup_id,
                    .count = loop.count,
                    .window = window,
                    .executable = attempt.latest,
                    .detail = why},
       .summary =
           fmt::format("{} failed {} times in {} to start {}: {}", label(name, who), loop.count,
                       seconds(window), attempt.latest.empty() ? "a program" : attempt.latest, why),
       .suggestion = "Check that the file is there, may be executed, and is for this machine."},
      loop.because, out);
}

}  // namespace tapio::process
