// SPDX-License-Identifier: Apache-2.0
#include "process_observer.hpp"

#include <fmt/format.h>
#include <sys/wait.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <optional>

#include "process_credentials.hpp"
#include "process_oom.hpp"
#include "process_records.hpp"
#include "process_text.hpp"

namespace tapio::process {

namespace {

// include/uapi/asm-generic/siginfo.h
constexpr std::int32_t kSiUser = 0, kSiQueue = -1, kSiTimer = -2, kSiMesgq = -3, kSiAsyncIo = -4,
                       kSiSigIo = -5, kSiTkill = -6, kSiAsyncName = -60;

bool is_fault(std::int32_t signal) {
  return signal == SIGSEGV || signal == SIGBUS || signal == SIGILL || signal == SIGFPE ||
         signal == SIGTRAP;
}

// What shells and service managers exit with when they could not execute what they were to.
bool tells_failed_exec(int status) {
  constexpr int kNotExecutable = 126, kNotFound = 127, kSystemdExec = 203;
  const int code = WEXITSTATUS(status);
  return WIFEXITED(status) && (code == kNotExecutable || code == kNotFound || code == kSystemdExec);
}

Value error_value(std::int32_t error, Arena& arena) {
  const char* name = ::strerrorname_np(error);
  return name && error ? Value{arena.keep(name)} : Value{};
}

Value limit_value(std::uint64_t bytes) {
  return bytes == kNoLimit ? Value{} : Value{bytes};
}

Value known_text(std::string_view text) {
  return text.empty() ? Value{} : Value{text};
}

std::span<const std::string_view> described(std::span<const MemoryLevel> levels, Arena& arena) {
  const auto texts = arena.list(levels.size());
  for (std::size_t i = 0; i < levels.size(); ++i) texts[i] = describe(levels[i], arena);
  return texts;
}

MemoryLevel memory_level(const tapio_memory_level& level) {
  return {.cgroup_id = level.cgroup_id,
          .usage = level.usage,
          .max = level.max,
          .swap_usage = level.swap_usage,
          .swap_max = level.swap_max};
}

// A level as the fields of a record have it.
struct LevelColumns {
  Value id, usage, max, swap, swap_max;
};

LevelColumns columns(const MemoryLevel* level) {
  if (!level) return {};
  return {.id = level->cgroup_id,
          .usage = level->usage,
          .max = limit_value(level->max),
          .swap = level->swap_usage,
          .swap_max = limit_value(level->swap_max)};
}

}  // namespace

SignalClass classify(std::int32_t signal, std::int32_t code, std::uint8_t siginfo) {
  const bool by_timer = signal == SIGALRM || signal == SIGVTALRM || signal == SIGPROF;
  if (siginfo != TAPIO_SIGINFO_GIVEN) return by_timer ? SignalClass::timer : SignalClass::kernel;
  switch (code) {
    case kSiUser:
      return SignalClass::user;
    case kSiTkill:
      return SignalClass::tkill;
    case kSiTimer:
      return SignalClass::timer;
    case kSiQueue:
    case kSiMesgq:
    case kSiAsyncIo:
    case kSiSigIo:
    case kSiAsyncName:
      return SignalClass::queue;
    default:
      break;
  }
  if (code > 0) return is_fault(signal) ? SignalClass::kernel_fault : SignalClass::kernel;
  return SignalClass::unknown;  // rt_sigqueueinfo(2) lets a sender invent negative codes
}

void ProcessObserver::on_settings(const config::Section& settings) {
  const auto& config = settings.as<Config>();
  beginnings_.set_rate(config.lifecycle_rate_per_second);
  lifecycle_.set_rate(config.lifecycle_rate_per_second);
  detectors_.configure(config);
}

Status ProcessObserver::on_sample(const wire::Sample& sample, Output& out) {
  switch (sample.header.kind) {
    case TAPIO_PROCESS_FORK:
      return on_fork(sample, out);
    case TAPIO_PROCESS_EXEC:
      return on_exec(sample, out);
    case TAPIO_PROCESS_EXIT:
      return on_exit(sample, out);
    case TAPIO_PROCESS_DEATH:
      return on_death(sample, out);
    case TAPIO_PROCESS_SIGNAL:
      return on_signal(sample, out);
    case TAPIO_PROCESS_DELIVERY:
      return on_delivery(sample, out);
    case TAPIO_PROCESS_OOM:
      return on_oom(sample, out);
    case TAPIO_PROCESS_CREDENTIALS:
      return on_credentials(sample, out);
    case TAPIO_PROCESS_TRACE:
      return on_trace(sample, out);
    case TAPIO_PROCESS_EXEC_FAILED:
      return on_exec_failed(sample, out);
    case TAPIO_PROCESS_MULTIPLY:
      return on_multiply(sample, out);
    default:
      return invalid(fmt::format("not an event of `process`: kind {:#06x}", sample.header.kind));
  }
}

std::optional<Record> ProcessObserver::make_record(const wire::Sample& sample, const Clocks& clocks,
                                                   Arena& arena) const {
  return record_of(sample, clocks, arena);
}

std::optional<Withheld> ProcessObserver::withheld(const tapio_event_header& header, Bucket& rate) {
  if (header.flags & TAPIO_STATE_ONLY) return Withheld::filtered;
  if (!rate.admit(MonotonicTime(header.time_ns))) return Withheld::rate_limited;
  return {};
}

void ProcessObserver::hand_out(const Record& record, const tapio_event_header& header,
                               Output& out) {
  if (const auto why = withheld(header, lifecycle_))
    out.withhold(record, *why);
  else
    out.emit(record);
}

void ProcessObserver::hand_out(const wire::Sample& sample, const Origin& origin, Bucket& rate,
                               Output& out, auto&& make) {
  if (const auto why = withheld(sample.header, rate))
    out.withhold(sample, origin, *why);
  else
    out.emit(make());
}

Status ProcessObserver::on_fork(const wire::Sample& sample, Output& out) {
  const auto fork = TRY(forked(sample, out.arena()));
  const auto& [e, origin, name] = fork;
  const auto credentials = credentials_of(e.credentials);
  const auto parent = id(e.parent_tgid, e.parent_start_ns);
  // What a child begins with, its parent had: unless somebody else called, with CLONE_PARENT.
  if (!e.own_user_namespace && e.header.tgid == e.parent_tgid)
    compare({.process = parent, .after = credentials, .name = name}, origin_of(e.header), e.header,
            out);
  out.publish(ProcessStarted{.time = origin.time,
                             .evidence = out.next_id(),
                             .process = id(e.tgid, e.start_ns),
                             .parent = parent,
                             .virtual_pid = e.virtual_pid,
                             .pid_namespace = e.pid_namespace,
                             .cgroup_id = e.cgroup_id,
                             .uid = credentials.euid,
                             .credentials = credentials,
                             .name = name});
  hand_out(sample, origin, beginnings_, out, [&] { return record_of(fork); });
  return {};
}

Status ProcessObserver::on_exec(const wire::Sample& sample, Output& out) {
  const auto exec = TRY(executed(sample, out.arena()));
  const auto& e = exec.event;
  const auto process = id(e.header.tgid, e.start_ns);
  const auto after = credentials_of(e.credentials);
  const Process* known = out.world().process(process);
  const auto before =
      known && known->credentials ? std::optional(*known->credentials) : std::nullopt;

  out.publish(ProcessExecuted{.time = exec.origin.time,
                              .evidence = out.next_id(),
                              .process = process,
                              .parent = id(e.parent_tgid, e.parent_start_ns),
                              .virtual_pid = e.virtual_pid,
                              .pid_namespace = e.pid_namespace,
                              .mount_namespace = e.mount_namespace,
                              .cgroup_id = e.header.cgroup_id,
                              .credentials = after,
                              .name = exec.name,
                              .executable = exec.executable,
                              .args = exec.args.list,
                              .args_bytes = e.args.original});
  hand_out(sample, exec.origin, beginnings_, out, [&] { return record_of(exec, out.arena()); });
  if (before && differ(*before, after))
    announce({.process = process,
              .before = *before,
              .after = after,
              .via = found_at_exec(*before, after, is_set_id(e.file_mode)),
              .set_id_file = is_set_id(e.file_mode),
              .name = exec.name,
              .executable = exec.executable},
             exec.origin, e.header, out);
  return {};
}

Status ProcessObserver::on_multiply(const wire::Sample& sample, Output& out) {
  const auto e = TRY(wire::event<tapio_process_multiply>(sample, TAPIO_PROCESS_MULTIPLY_VERSION));
  auto origin = origin_of(e.header);
  origin.pid = origin.tid = e.tgid;
  origin.cgroup_id = e.cgroup_id;
  const auto name = keep(e.comm, out.arena());
  out.publish(Multiplied{.time = origin.time,
                         .evidence = out.next_id(),
                         .cgroup_id = e.cgroup_id,
                         .process = id(e.tgid, e.start_ns),
                         .parent = id(e.parent_tgid, e.parent_start_ns),
                         .name = name,
                         .births = e.births,
                         .living = e.living,
                         .deepest = e.deepest});
  out.emit(kMultiplying(origin, std::uint64_t{e.parent_tgid}, name, std::uint64_t{e.births},
                        std::uint64_t{e.living}, std::uint64_t{e.deepest}));
  return {};
}

void ProcessObserver::on_tick(MonotonicTime now, Output& out) {
  detectors_.on_tick(now, out);
}

Status ProcessObserver::on_exit(const wire::Sample& sample, Output& out) {
  const auto exit = TRY(exited(sample, out.arena()));
  const auto& [e, origin, name] = exit;
  const auto process = id(e.header.tgid, e.start_ns);
  if (!exited_.insert(process)) {
    out.withhold({.origin = origin}, Withheld::filtered);
    return {};
  }
  const auto status = static_cast<int>(e.status);
  const int signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
  compare({.process = process, .after = credentials_of(e.credentials), .name = name}, origin,
          e.header, out);
  if (tells_failed_exec(status)) conclude(e, origin, name, out);
  out.publish(ProcessExited{.time = origin.time,
                            .evidence = out.next_id(),
                            .process = process,
                            .parent = id(e.parent_tgid, e.parent_start_ns),
                            .cgroup_id = e.header.cgroup_id,
                            .code = WEXITSTATUS(status),
                            .signal = signal,
                            .core_dumped = signal && WCOREDUMP(status),
                            .name = name});
  hand_out(sample, origin, lifecycle_, out,
           [&] { return record_of(exit, out.clocks(), out.arena()); });
  return {};
}

Status ProcessObserver::on_death(const wire::Sample& sample, Output& out) {
  const auto e = TRY(wire::event<tapio_process_exit>(sample, TAPIO_PROCESS_DEATH_VERSION));
  if (!died_.insert(id(e.header.tgid, e.start_ns))) {
    out.withhold({.origin = origin_of(e.header)}, Withheld::filtered);
    return {};
  }
  const auto status = static_cast<int>(e.status);
  const int signal = WTERMSIG(status);
  out.emit(kDeath(origin_of(e.header), e.parent_tgid, e.credentials.euid, keep(e.comm, out.arena()),
                  signal_value(signal, out.arena()), signal, WCOREDUMP(status) != 0,
                  uptime(e, out.clocks()), std::chrono::nanoseconds(e.cpu_ns), e.peak_rss));
  return {};
}

Status ProcessObserver::on_signal(const wire::Sample& sample, Output& out) {
  const auto e = TRY(wire::event<tapio_process_signal>(sample, TAPIO_PROCESS_SIGNAL_VERSION));
  Arena& arena = out.arena();
  auto origin = origin_of(e.header);
  const auto by = classify(e.signal, e.code, e.siginfo);
  const bool sent = by == SignalClass::user || by == SignalClass::tkill || by == SignalClass::queue;
  const auto result = static_cast<SignalResult>(e.result);
  const auto target_name = keep(e.target_comm, arena);
  const auto sender_name = sent ? keep(e.running_comm, arena) : std::string_view();
  out.publish(SignalSent{.time = origin.time,
                         .evidence = out.next_id(),
                         .sender = sent ? id(e.header.tgid, e.running_start_ns) : ProcessId{},
                         .sender_name = sender_name,
                         .sender_cgroup_id = sent ? e.header.cgroup_id : 0,
                         .target = id(e.target_tgid, e.target_start_ns),
                         .target_name = target_name,
                         .target_cgroup_id = e.target_cgroup_id,
                         .target_tid = e.target_tid,
                         .signal = e.signal,
                         .code = e.code,
                         .by = by,
                         .result = result,
                         .lethal = e.lethal != 0});
  const bool crosses = sent && e.header.cgroup_id != e.target_cgroup_id;
  if (!sent) origin.pid = origin.tid = 0, origin.cgroup_id = e.target_cgroup_id;
  out.emit(kSignal(origin, sent ? Value{sender_name} : Value{}, signal_value(e.signal, arena),
                   e.signal, e.target_tgid, e.target_tid, target_name, tapio::name(by), e.code,
                   tapio::name(result), e.lethal != 0, e.to_group != 0, e.target_cgroup_id,
                   crosses));
  return {};
}

Status ProcessObserver::on_delivery(const wire::Sample& sample, Output& out) {
  const auto e = TRY(wire::event<tapio_process_delivery>(sample, TAPIO_PROCESS_DELIVERY_VERSION));
  constexpr std::string_view kActions[] = {"default", "ignore", "handler"};
  if (e.disposition >= std::size(kActions))
    return invalid(fmt::format("disposition {} is none", e.disposition));
  out.emit(kDelivery(origin_of(e.header), signal_value(e.signal, out.arena()), e.signal, e.code,
                     kActions[e.disposition]));
  return {};
}

Status ProcessObserver::on_oom(const wire::Sample& sample, Output& out) {
  const auto e = TRY(wire::event<tapio_process_oom>(sample, TAPIO_PROCESS_OOM_VERSION));
  const auto& v = e.victim;
  if (v.level_count > OomKilled::kMaxLevels)
    return invalid(
        fmt::format("{} memory cgroups, at most {}", v.level_count, OomKilled::kMaxLevels));
  Arena& arena = out.arena();
  std::array<MemoryLevel, OomKilled::kMaxLevels> all;
  std::ranges::transform(v.levels, all.begin(), memory_level);
  const auto levels = arena.keep(std::span<const MemoryLevel>(all.data(), v.level_count));
  auto origin = origin_of(e.header);
  origin.pid = origin.tid = v.tgid;
  origin.cgroup_id = v.cgroup_id;
  const auto name = keep(v.comm, arena);
  const auto running = keep(e.running_comm, arena);
  out.publish(OomKilled{.time = origin.time,
                        .evidence = out.next_id(),
                        .victim = id(v.tgid, v.start_ns),
                        .name = name,
                        .cgroup_id = v.cgroup_id,
                        .running = id(e.header.tgid, e.running_start_ns),
                        .running_name = running,
                        .score_adj = v.score_adj,
                        .anon_rss = v.anon_rss,
                        .file_rss = v.file_rss,
                        .shmem_rss = v.shmem_rss,
                        .swap = v.swap,
                        .levels = levels});
  const auto own = columns(levels.empty() ? nullptr : levels.data());
  const auto full = columns(full_level(levels));
  out.emit(kOom(origin, name, e.header.tgid, running, v.score_adj, v.anon_rss, v.file_rss,
                v.shmem_rss, v.swap, own.id, own.usage, own.max, own.swap, own.swap_max, full.id,
                full.usage, full.max, full.swap, full.swap_max, described(levels, arena)));
  return {};
}

// Of what the World knew until now.
bool ProcessObserver::compare(const CredentialsChanged& now, const Origin& origin,
                              const tapio_event_header& header, Output& out) {
  const Process* known = out.world().process(now.process);
  if (!known || !known->credentials || !differ(*known->credentials, now.after)) return false;
  CredentialsChanged change = now;
  change.before = *known->credentials;
  announce(change, origin, header, out);
  return true;
}

void ProcessObserver::announce(const CredentialsChanged& change, const Origin& origin,
                               const tapio_event_header& header, Output& out) {
  CredentialsChanged fact = change;
  fact.time = origin.time;
  fact.evidence = out.next_id();
  fact.cgroup_id = origin.cgroup_id;
  fact.gained = gained(change.before, change.after);
  out.publish(fact);
  Arena& arena = out.arena();
  const auto& a = change.after;
  const auto& b = change.before;
  const auto caps = [&](std::uint64_t set) { return capabilities(set, arena); };
  hand_out(
      kCredentials(origin, change.name, tapio::name(change.via), fact.gained, change.set_id_file,
                   a.euid, a.uid, a.suid, a.egid, a.gid, a.sgid, caps(a.effective),
                   caps(a.permitted), caps(a.inheritable), caps(a.bounding), caps(a.ambient),
                   a.user_namespace, b.euid, b.uid, b.suid, b.egid, b.gid, b.sgid,
                   caps(b.effective), caps(b.permitted), caps(b.inheritable), caps(b.bounding),
                   caps(b.ambient), b.user_namespace ? Value{b.user_namespace} : Value{}),
      header, out);
}

// Each thread of a process makes its own call: what the first one changed is no news for the
// others.
Status ProcessObserver::on_credentials(const wire::Sample& sample, Output& out) {
  const auto e =
      TRY(wire::event<tapio_process_credentials>(sample, TAPIO_PROCESS_CREDENTIALS_VERSION));
  const auto origin = origin_of(e.header);
  const CredentialsChanged now{.process = id(e.header.tgid, e.start_ns),
                               .after = credentials_of(e.credentials),
                               .via = CredentialsVia::syscall,
                               .name = keep(e.comm, out.arena())};
  if (!compare(now, origin, e.header, out)) out.withhold({.origin = origin}, Withheld::filtered);
  return {};
}

Status ProcessObserver::on_trace(const wire::Sample& sample, Output& out) {
  const auto e = TRY(wire::event<tapio_process_trace>(sample, TAPIO_PROCESS_TRACE_VERSION));
  constexpr std::string_view kRequests[] = {"attach", "traceme", "access"};
  if (e.request >= std::size(kRequests))
    return invalid(fmt::format("request {} is none", e.request));
  auto origin = origin_of(e.header);
  if (e.tracer_tgid != origin.pid) origin.pid = origin.tid = e.tracer_tgid;
  origin.cgroup_id = e.tracer_cgroup_id;
  const auto tracer_name = keep(e.tracer_comm, out.arena());
  const auto target_name = keep(e.target_comm, out.arena());
  out.publish(Traced{.time = origin.time,
                     .evidence = out.next_id(),
                     .tracer = id(e.tracer_tgid, e.tracer_start_ns),
                     .tracer_name = tracer_name,
                     .tracer_cgroup_id = e.tracer_cgroup_id,
                     .target = id(e.target_tgid, e.target_start_ns),
                     .target_name = target_name,
                     .target_cgroup_id = e.target_cgroup_id,
                     .request = kRequests[e.request]});
  out.emit(kTrace(origin, tracer_name, kRequests[e.request], e.target_tgid, target_name,
                  e.target_cgroup_id, e.tracer_cgroup_id != e.target_cgroup_id));
  return {};
}

Status ProcessObserver::on_exec_failed(const wire::Sample& sample, Output& out) {
  const auto e =
      TRY(wire::event<tapio_process_exec_failed>(sample, TAPIO_PROCESS_EXEC_FAILED_VERSION));
  Arena& arena = out.arena();
  const auto origin = origin_of(e.header);
  const auto process = id(e.header.tgid, e.start_ns);
  const auto name = keep(e.comm, arena);
  const auto filename = arena.keep(TRY(piece(sample, e.filename)));
  failed_.insert(process);
  out.publish(ExecFailed{.time = origin.time,
                         .evidence = out.next_id(),
                         .process = process,
                         .parent = id(e.parent_tgid, e.parent_start_ns),
                         .cgroup_id = origin.cgroup_id,
                         .error = e.error,
                         .filename = filename,
                         .name = name});
  out.emit(kExecFailed(origin, e.parent_tgid, name, known_text(filename),
                       error_value(e.error, arena), e.error, Value{}, false));
  return {};
}

// Only of a process whose whole life was seen, and that never executed.
void ProcessObserver::conclude(const tapio_process_exit& exit, const Origin& origin,
                               std::string_view name, Output& out) {
  const auto process = id(exit.header.tgid, exit.start_ns);
  const Process* known = out.world().process(process);
  const auto since = out.world().watching_since();
  if (!known || !known->started.count() || known->executed.count() || !since.count() ||
      known->started < since || failed_.contains(process))
    return;
  const std::int32_t status = WEXITSTATUS(static_cast<int>(exit.status));
  out.publish(ExecFailed{.time = origin.time,
                         .evidence = out.next_id(),
                         .process = process,
                         .parent = id(exit.parent_tgid, exit.parent_start_ns),
                         .cgroup_id = origin.cgroup_id,
                         .status = status,
                         .name = name});
  hand_out(kExecFailed(origin, exit.parent_tgid, name, Value{}, Value{}, Value{}, status, true),
           exit.header, out);
}

void ProcessObserver::on_surplus(const Surplus& surplus, MonotonicTime now, Output& out) {
  const auto signal = static_cast<std::int32_t>(surplus.detail);
  const Origin origin{.time = now, .cgroup_id = surplus.cgroup_id, .event_class = TAPIO_CRITICAL};
  out.emit(kSurplus(origin, signal_value(signal, out.arena()), signal, surplus.count));
}

}  // namespace tapio::process
