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

// "": none.
std::string container_of(std::uint64_t cgroup_id, const World& world) {
  const Cgroup* cgroup = cgroup_id != 0 ? world.cgroup(cgroup_id) : nullptr;
  return cgroup ? cgroup->container_id : std::string();
}

Value since(MonotonicTime begin, MonotonicTime end) {
  return begin.count() != 0 && begin <= end ? Value{end - begin} : Value{};
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

void Lifecycle::on(const CgroupCreated& fact, Output& out) {
  const std::string id = container_of(fact.cgroup_id, out.world());
  if (id.empty() || containers_.find(id)) return;
  Entry& entry = containers_.use(id);
  entry.cgroup_id = fact.cgroup_id;
  if (fact.evidence == RecordId{}) return;  // it was there before
  entry.created = fact.time;
  hand_out_(kContainerCreated(origin_of(fact.time, {}, fact.cgroup_id)), out);
}

void Lifecycle::on(const ProcessExecuted& fact, Output& out) {
  const std::string id = container_of(fact.cgroup_id, out.world());
  Entry* entry = id.empty() ? nullptr : containers_.find(id);
  if (!entry || entry->main || entry->created.count() == 0) return;
  const Process* parent = out.world().process(fact.parent);
  const bool first_of_namespace = fact.virtual_pid == 1;
  // Runtimes prepare a container in a process that they put into its cgroup, and that executes the
  // container's program last. Until then it runs what its parent runs, outside.
  const bool own_mounts = fact.mount_namespace != 0 && parent && parent->mount_namespace != 0 &&
                          parent->mount_namespace != fact.mount_namespace;
  if (!first_of_namespace && !own_mounts) return;
  start(id, *entry, fact, out);
}

void Lifecycle::start(const std::string& id, Entry& entry, const ProcessExecuted& fact,
                      Output& out) {
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
  end(entry,
      {.time = std::max(main->exited, fact.time),
       .process = fact.process,
       .cgroup_id = fact.cgroup_id,
       .code = main->exit_code,
       .signal = main->exit_signal},
      out);
}

void Lifecycle::on(const ProcessExited& fact, Output& out) {
  const std::string* id = mains_.find(fact.process);
  Entry* entry = id ? containers_.find(*id) : nullptr;
  if (!entry || entry->ended) return;
  entry->ended = true;
  end(*entry, fact, out);
  mains_.erase(fact.process);
}

void Lifecycle::end(const Entry& entry, const ProcessExited& fact, Output& out) {
  Arena& arena = out.arena();
  const bool asked = !entry.main_killed_for_memory && entry.asked.count() != 0 &&
                     fact.time < entry.asked + kAsked && ends_by(fact, entry.asked_signal);
  const bool stopped = asked || (fact.signal == 0 && fact.code == 0);
  const auto& schema = stopped ? kContainerStopped : kContainerDied;
  hand_out_(schema(origin_of(fact.time, fact.process, entry.main_cgroup),
                   fact.signal == 0 ? Value{std::int64_t{fact.code}} : Value{},
                   fact.signal == 0 ? Value{} : Value{arena.keep(signal_name(fact.signal))},
                   entry.main_killed_for_memory, since(entry.started, fact.time),
                   asked ? Value{arena.keep(label(entry.asked_by_name, entry.asked_by))} : Value{},
                   std::uint64_t{entry.killed_for_memory}),
            out);
}

void Lifecycle::on(const SignalSent& fact, Output&) {
  if (!asks_to_end(fact.signal)) return;
  const std::string* id = mains_.find(fact.target);
  Entry* entry = id ? containers_.find(*id) : nullptr;
  if (!entry || !fact.sender || fact.sender_cgroup_id == fact.target_cgroup_id) return;
  entry->asked = fact.time;
  entry->asked_signal = fact.signal;
  entry->asked_by = fact.sender;
  entry->asked_by_name = fact.sender_name;
}

void Lifecycle::on(const OomKilled& fact, Output& out) {
  const std::string id = container_of(fact.cgroup_id, out.world());
  if (id.empty()) return;
  bool main = false;
  if (Entry* entry = containers_.find(id)) {
    entry->killed_for_memory++;
    main = entry->main == fact.victim;
    entry->main_killed_for_memory |= main;
  }
  hand_out_(kContainerOom(origin_of(fact.time, fact.victim, fact.cgroup_id), main), out);
}

void Lifecycle::on(const CgroupRemoved& fact, Output& out) {
  const std::string id = container_of(fact.cgroup_id, out.world());
  const Entry* entry = id.empty() ? nullptr : containers_.find(id);
  if (!entry || entry->cgroup_id != fact.cgroup_id) return;
  hand_out_(
      kContainerRemoved(origin_of(fact.time, {}, fact.cgroup_id), since(entry->created, fact.time)),
      out);
  mains_.erase(entry->main);
  containers_.erase(id);
}

}  // namespace tapio::container
