// SPDX-License-Identifier: Apache-2.0
#include "process_records.hpp"

#include <sys/wait.h>

#include <algorithm>
#include <array>

#include "process_credentials.hpp"
#include "process_schemas.hpp"

namespace tapio::process {

Origin origin_of(const tapio_event_header& header) {
  return {.time = MonotonicTime(header.time_ns),
          .cgroup_id = header.cgroup_id,
          .pid = header.tgid,
          .tid = header.tid,
          .event_class = static_cast<tapio_class>(header.event_class)};
}

ProcessId id(std::uint32_t tgid, std::uint64_t start_ns) {
  return {tgid, ticks_of(start_ns)};
}

std::string_view capabilities(std::uint64_t set, Arena& arena) {
  const auto hex = arena.room(16);
  for (std::size_t i = hex.size(); i-- > 0; set >>= 4) hex[i] = "0123456789abcdef"[set & 0xF];
  return {hex.data(), hex.size()};
}

Value signal_value(std::int32_t signal, Arena& arena) {
  return signal ? Value{arena.keep(signal_name(signal))} : Value{};
}

// CLOCK_BOOTTIME at the event is not in it.
std::chrono::nanoseconds uptime(const tapio_process_exit& end, const Clocks& clocks) {
  const auto ahead = clocks.boottime_ahead_at(MonotonicTime(end.header.time_ns)).count();
  // Unsigned: these are any bytes to us.
  const std::uint64_t ended = end.header.time_ns + static_cast<std::uint64_t>(ahead);
  if (ended < end.start_ns) return {};
  return std::chrono::nanoseconds(
      std::min<std::uint64_t>(ended - end.start_ns, std::chrono::nanoseconds::max().count()));
}

Result<Forked> forked(const wire::Sample& sample, Arena& arena) {
  Forked forked{.event = TRY(wire::event<tapio_process_fork>(sample, TAPIO_PROCESS_FORK_VERSION)),
                .origin = origin_of(sample.header),
                .name = {}};
  forked.origin.pid = forked.origin.tid = forked.event.tgid;
  forked.origin.cgroup_id = forked.event.cgroup_id;
  forked.name = keep(forked.event.comm, arena);
  return forked;
}

Result<Executed> executed(const wire::Sample& sample, Arena& arena) {
  const auto e = TRY(wire::event<tapio_process_exec>(sample, TAPIO_PROCESS_EXEC_VERSION));
  const auto executable = TRY(piece(sample, e.executable));
  return Executed{.event = e,
                  .origin = origin_of(e.header),
                  .name = keep(e.comm, arena),
                  .executable = join_path(executable, !e.executable.original, arena),
                  .filename = TRY(piece(sample, e.filename)),
                  .cwd = TRY(piece(sample, e.cwd)),
                  .args = split_args(TRY(piece(sample, e.args)), e.args.original, arena)};
}

Result<Exited> exited(const wire::Sample& sample, Arena& arena) {
  Exited exited{.event = TRY(wire::event<tapio_process_exit>(sample, TAPIO_PROCESS_EXIT_VERSION)),
                .origin = origin_of(sample.header),
                .name = {}};
  exited.name = keep(exited.event.comm, arena);
  return exited;
}

Record record_of(const Forked& forked) {
  const auto& e = forked.event;
  return kFork(forked.origin, e.parent_tgid, e.virtual_pid, e.pid_namespace, e.credentials.euid,
               forked.name);
}

Record record_of(const Executed& executed, Arena& arena) {
  const auto& e = executed.event;
  const auto& c = e.credentials;
  const auto caps = [&](std::uint64_t set) { return capabilities(set, arena); };
  return kExec(executed.origin, e.parent_tgid, e.virtual_pid, e.pid_namespace, c.euid, c.uid,
               c.suid, c.egid, c.gid, c.sgid, caps(c.effective), caps(c.permitted),
               caps(c.inheritable), caps(c.bounding), caps(c.ambient), executed.name,
               executed.executable, is_set_id(e.file_mode), arena.keep(executed.filename),
               join_path(executed.cwd, !e.cwd.original, arena), e.args.original, executed.args.cut,
               executed.args.list);
}

Record record_of(const Exited& exited, const Clocks& clocks, Arena& arena) {
  const auto& e = exited.event;
  const auto status = static_cast<int>(e.status);
  const int signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
  return kExit(exited.origin, e.parent_tgid, e.credentials.euid, exited.name,
               signal ? Value{} : Value{std::int64_t{WEXITSTATUS(status)}},
               signal_value(signal, arena), signal ? Value{std::int64_t{signal}} : Value{},
               signal && WCOREDUMP(status), uptime(e, clocks), std::chrono::nanoseconds(e.cpu_ns),
               e.peak_rss);
}

std::optional<Record> record_of(const wire::Sample& sample, const Clocks& clocks, Arena& arena) {
  switch (sample.header.kind) {
    case TAPIO_PROCESS_FORK:
      if (const auto fork = forked(sample, arena)) return record_of(*fork);
      break;
    case TAPIO_PROCESS_EXEC:
      if (const auto exec = executed(sample, arena)) return record_of(*exec, arena);
      break;
    case TAPIO_PROCESS_EXIT:
      if (const auto exit = exited(sample, arena)) return record_of(*exit, clocks, arena);
      break;
    default:
      break;
  }
  return {};
}

}  // namespace tapio::process
