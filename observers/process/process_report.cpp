// SPDX-License-Identifier: Apache-2.0
#include "process_report.hpp"

#include <fmt/format.h>

#include "process_findings.hpp"

namespace tapio::process {

namespace {

const FindingSchema& schema_of(Detection what) {
  switch (what) {
    case Detection::signal_storm:
      return kSignalStorm;
    case Detection::kill_chain:
      return kKillChain;
    case Detection::crash_loop:
      return kCrashLoop;
    case Detection::fork_bomb:
      return kForkBomb;
    case Detection::exec_failure_loop:
      return kExecFailureLoop;
    case Detection::signal_across_border:
      return kSignalAcrossBorder;
    case Detection::privilege_gain:
      return kPrivilegeGain;
    case Detection::oom_predicted:
      break;  // of another observer
  }
  return kSignalStorm;
}

std::span<const std::string_view> texts(std::span<const RecordId> ids, Arena& arena) {
  const auto list = arena.list(ids.size());
  for (std::size_t i = 0; i < ids.size(); ++i) list[i] = arena.keep(ids[i].text());
  return list;
}

Value text_value(std::string_view text) {
  return text.empty() ? Value{} : Value{text};
}

}  // namespace

void Because::add(RecordId id) {
  if (id == RecordId{}) return;
  if (seen_ < kFirst)
    first_[seen_] = id;
  else
    latest_[(seen_ - kFirst) % kLatest] = id;
  seen_++;
}

std::vector<RecordId> Because::ids() const {
  const auto first = std::min(seen_, kFirst);
  const auto latest = std::min(seen_ - first, kLatest);
  std::vector<RecordId> ids(first_.begin(), first_.begin() + static_cast<std::ptrdiff_t>(first));
  for (std::size_t i = seen_ - first - latest; i < seen_ - first; ++i)
    ids.push_back(latest_[i % kLatest]);
  return ids;
}

void report(const Report& report, const Because& because, Output& out) {
  Arena& arena = out.arena();
  Detected d = report.detected;
  const auto ids = because.ids();
  d.evidence = out.next_id();
  d.because = arena.keep(std::span<const RecordId>(ids));
  d.process_name = arena.keep(d.process_name);
  d.other_name = arena.keep(d.other_name);
  d.executable = arena.keep(d.executable);
  d.detail = arena.keep(d.detail);
  out.publish(d);
  const Origin origin{.time = d.time,
                      .cgroup_id = d.cgroup_id,
                      .pid = d.process.pid,
                      .tid = d.process.pid,
                      .event_class = TAPIO_NORMAL};
  out.emit(schema_of(d.what)(
      origin, name(d.severity), arena.keep(label(d.process_name, d.process)),
      arena.keep(report.summary), arena.keep(report.suggestion), d.count, d.window,
      texts(d.because, arena), d.other ? Value{std::uint64_t{d.other.pid}} : Value{},
      text_value(d.other_name), text_value(d.executable), text_value(d.detail)));
}

std::string_view name_of(ProcessId id, const World& world) {
  const Process* process = world.process(id);
  return process ? std::string_view(process->name) : std::string_view();
}

std::string_view name_of_parent(ProcessId id, std::string_view of_child, const World& world) {
  const Process* process = world.process(id);
  if (!process) return of_child;
  const bool forked = process->started.count() != 0 && process->executed.count() == 0;
  return (forked && !of_child.empty()) || process->name.empty() ? of_child
                                                                : std::string_view(process->name);
}

std::string seconds(std::chrono::nanoseconds time) {
  const double s = std::chrono::duration<double>(time).count();
  return s < 10 ? fmt::format("{:.1f} s", s) : fmt::format("{:.0f} s", s);
}

}  // namespace tapio::process
