// SPDX-License-Identifier: Apache-2.0
#include "container_lifecycle.hpp"

#include <csignal>

#include "container_schemas.hpp"

namespace tapio::container {
namespace {

Origin origin_of(MonotonicTime time, ProcessId process, std::uint64_t cgroup_id) {
  return {.time = time,
          .cgroup_id = cgroup_id,
          .pid = process.pid,
          .tid = process.pid,
          .event_class = TAPIO_STATE};
}

Value since(MonotonicTime begin, MonotonicTime end) {
  return begin.count() != 0 && begin <= end ? Value{end - begin} : Value{};
}

// The cgroup that a runtime names by the container, and none below it.
bool is_of_whole(const Cgroup& cgroup) {
  std::string_view path = cgroup.path;
  if (cgroup.container_id.empty()) return false;
  if (path.ends_with(".scope")) path.remove_suffix(std::string_view(".scope").size());
  return path.ends_with(cgroup.container_id);
}

bool asks_to_end(std::int32_t signal) {
  return signal == SIGTERM || signal == SIGINT || signal == SIGQUIT || signal == SIGHUP ||
         signal == SIGKILL;
}

// Shells and programs that catch a signal end with 128 and its number.
bool ends_by(const ProcessExited& fact, std::int32_t signal) {
  return fact.signal == signal || (fact.signal == 0 && fact.code == 128 + signal);
}

}  // namespace

Lifecycle::Key Lifecycle::container_of(std::uint64_t cgroup_id, const World& world) {
  const Cgroup* cgroup = cgroup_id != 0 ? world.cgroup(cgroup_id) : nullptr;
  if (!cgroup || cgroup->container_id.empty()) return 0;
  return std::hash<std::string_view>{}(cgroup->container_id);
}

void Lifecycle::on(const CgroupCreated& fact, Output& out) {
  if (fact.evidence == RecordId{}) return;  // it was there before: its main process is not known
  const Cgroup* cgroup = out.world().cgroup(fact.cgroup_id);
  if (!cgroup || !is_of_whole(*cgroup)) return;
  const Key id = container_of(fact.cgroup_id, out.world());
  if (containers_.find(id)) return;
  containers_.use(id).created = fact.time;
  hand_out_(kContainerCreated(origin_of(fact.time, {}, fact.cgroup_id)), out);
}

void Lifecycle::on(const ProcessExecuted& fact, Output& out) {
  const Key id = container_of(fact.cgroup_id, out.world());
  Entry* entry = id == 0 ? nullptr : containers_.find(id);
  if (!entry || entry->main) return;
  const Process* parent = out.world().process(fact.parent);
  const bool first_of_namespace = fact.virtual_pid == 1;
  // Runtimes prepare a container in a process that they put into its cgroup, and that executes the
  // container's program last. Until then it runs what its parent runs, outside.
  const bool own_mounts = fact.mount_namespace != 0 && parent && parent->mount_namespace != 0 &&
                          parent->mount_namespace != fact.mount_namespace;
  if (!first_of_namespace && !own_mounts) return;
  start(id, *entry, fact, out);
}

void Lifecycle::start(Key id, Entry& entry, const ProcessExecuted& fact, Output& out) {
  entry.main = fact.process;
  entry.main_cgroup = fact.cgroup_id;
  entry.started = fact.time;
  mains_.use(fact.process) = id;
  hand_out_(kContainerStarted(origin_of(fact.time, fact.process, fact.cgroup_id),
                              since(entry.created, fact.time)),
            out);
  // A death by signal is told at once, an exec in its turn: who lived for so short is dead by now.
  const Process* main = out.world().process(fact.process);
  if (!main || main->life != Life::exited) return;
  entry.ended = true;
  end(id, entry,
      {.time = std::max(main->exited, fact.time),
       .process = fact.process,
       .cgroup_id = fact.cgroup_id,
       .code = main->exit_code,
       .signal = main->exit_signal},
      out);
}

void Lifecycle::on(const ProcessExited& fact, Output& out) {
  const Key* id = mains_.find(fact.process);
  Entry* entry = id ? containers_.find(*id) : nullptr;
  if (!entry || entry->ended) return;
  entry->ended = true;
  end(*id, *entry, fact, out);
  mains_.erase(fact.process);
}

void Lifecycle::end(Key id, const Entry& entry, const ProcessExited& fact, Output& out) {
  Arena& arena = out.arena();
  const Asked* request = asked_.find(id);
  const bool asked = request && !entry.main_killed_for_memory &&
                     fact.time < request->time + kAsked && ends_by(fact, request->signal);
  const bool stopped = asked || (fact.signal == 0 && fact.code == 0);
  const auto& schema = stopped ? kContainerStopped : kContainerDied;
  hand_out_(schema(origin_of(fact.time, fact.process, entry.main_cgroup),
                   fact.signal == 0 ? Value{std::int64_t{fact.code}} : Value{},
                   fact.signal == 0 ? Value{} : Value{arena.keep(signal_name(fact.signal))},
                   entry.main_killed_for_memory, since(entry.started, fact.time),
                   asked ? Value{arena.keep(label(request->by_name, request->by))} : Value{},
                   std::uint64_t{entry.killed_for_memory}),
            out);
  asked_.erase(id);
}

void Lifecycle::on(const SignalSent& fact, Output&) {
  if (!asks_to_end(fact.signal) || !fact.sender) return;
  const Key* id = mains_.find(fact.target);
  if (!id || fact.sender_cgroup_id == fact.target_cgroup_id) return;
  asked_.use(*id) = {.time = fact.time,
                     .signal = fact.signal,
                     .by = fact.sender,
                     .by_name = std::string(fact.sender_name)};
}

void Lifecycle::on(const OomKilled& fact, Output& out) {
  const Key id = container_of(fact.cgroup_id, out.world());
  if (id == 0) return;
  bool main = false;
  if (Entry* entry = containers_.find(id)) {
    entry->killed_for_memory++;
    main = entry->main == fact.victim;
    entry->main_killed_for_memory |= main;
  }
  hand_out_(kContainerOom(origin_of(fact.time, fact.victim, fact.cgroup_id), main), out);
}

void Lifecycle::on(const CgroupRemoved& fact, Output& out) {
  const Cgroup* cgroup = out.world().cgroup(fact.cgroup_id);
  if (!cgroup || !is_of_whole(*cgroup)) return;
  const Key id = container_of(fact.cgroup_id, out.world());
  const Entry* entry = containers_.find(id);
  hand_out_(kContainerRemoved(origin_of(fact.time, {}, fact.cgroup_id),
                              entry ? since(entry->created, fact.time) : Value{}),
            out);
  if (entry) mains_.erase(entry->main);
  containers_.erase(id);
}

}  // namespace tapio::container
