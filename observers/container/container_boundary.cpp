// SPDX-License-Identifier: Apache-2.0
#include "container_boundary.hpp"

#include <fmt/format.h>

#include "container_schemas.hpp"
#include "facts/place.hpp"

namespace tapio::container {
namespace {

const Cgroup* container_at(std::uint64_t cgroup_id, const World& world) {
  const Cgroup* cgroup = cgroup_id != 0 ? world.cgroup(cgroup_id) : nullptr;
  return cgroup && !cgroup->container_id.empty() ? cgroup : nullptr;
}

// The container's own cgroup and whatever is below it, also a container in the container.
bool is_within(const Cgroup& place, const Cgroup& container) {
  const auto at = container.path.find(container.container_id);
  if (at == container.path.npos) return true;  // nothing can be said
  return place.path.starts_with(
      std::string_view(container.path).substr(0, at + container.container_id.size()));
}

}  // namespace

void Boundary::on(const ProcessMoved& fact, Output& out) {
  const World& world = out.world();
  const Cgroup* from = container_at(fact.from, world);
  const Cgroup* to = world.cgroup(fact.to);
  if (!from || !to || to->path.empty() || is_within(*to, *from)) return;
  const Process* by = world.process(fact.by);
  const Cgroup* place_of_by = by ? container_at(by->cgroup_id, world) : nullptr;
  // Who is outside may take processes out: an administrator, or the runtime.
  const bool from_inside =
      fact.by == fact.process || (place_of_by && place_of_by->container_id == from->container_id);
  tell({.time = fact.time,
        .evidence = fact.evidence,
        .process = fact.process,
        .cgroup_id = fact.from,
        .way = "cgroup",
        .severity = from_inside ? Severity::warning : Severity::info,
        .what = fmt::format("left its control group for {}, {}", to->path,
                            fact.by == fact.process
                                ? std::string("by itself")
                                : "moved by " + label(by ? by->name : "", fact.by))},
       out);
}

void Boundary::on(const ProcessExecuted& fact, Output& out) {
  const World& world = out.world();
  const Cgroup* container = container_at(fact.cgroup_id, world);
  if (!container || fact.mount_namespace == 0) return;
  std::uint64_t before = 0;
  if (const auto* known = mounts_.find(fact.process))
    before = *known;
  else if (const Process* parent = world.process(fact.parent))
    before = parent->mount_namespace;  // a child begins where its parent is
  mounts_.use(fact.process) = fact.mount_namespace;
  if (fact.virtual_pid == 1 && fact.mount_namespace != host_mounts_)
    homes_.use(fact.mount_namespace) = container->container_id;
  if (before == 0 || before == host_mounts_ || before == fact.mount_namespace) return;
  std::string where;
  if (fact.mount_namespace == host_mounts_) {
    where = "the host";
  } else {
    const std::string* home = homes_.find(fact.mount_namespace);
    const std::string* own = homes_.find(before);
    if (!home || *home == container->container_id || !own || *own != container->container_id)
      return;
    where = fmt::format("container {:.12}", *home);
  }
  tell({.time = fact.time,
        .evidence = fact.evidence,
        .process = fact.process,
        .cgroup_id = fact.cgroup_id,
        .way = "mount_namespace",
        .what = fmt::format("runs {} in the mount namespace of {}",
                            fact.executable.empty() ? "a program" : fact.executable, where)},
       out);
}

void Boundary::on(const ProcessStarted& fact, Output& out) {
  if (fact.pid_namespace != kHostPidNamespace) return;
  const World& world = out.world();
  const Process* parent = world.process(fact.parent);
  if (!parent || parent->pid_namespace == 0 || parent->pid_namespace == kHostPidNamespace) return;
  const Cgroup* container = container_at(fact.cgroup_id, world);
  if (!container) return;
  tell({.time = fact.time,
        .evidence = fact.evidence,
        .process = fact.process,
        .cgroup_id = fact.cgroup_id,
        .way = "pid_namespace",
        .what = "began in the pid namespace of the host"},
       out);
}

void Boundary::tell(const Crossing& crossing, Output& out) {
  const World& world = out.world();
  const Cgroup* container = container_at(crossing.cgroup_id, world);
  if (!container) return;
  Incident& incident = told_.use(fmt::format("{} {}", container->container_id, crossing.way));
  incident.count++;
  if (incident.told.count() != 0 && crossing.time < incident.told + kRepeat) return;
  incident.told = crossing.time;
  const auto count = std::exchange(incident.count, 0);
  const Process* process = world.process(crossing.process);
  const std::string_view name = process ? std::string_view(process->name) : std::string_view();
  Arena& arena = out.arena();
  const auto because = arena.list(1);
  because[0] = arena.keep(crossing.evidence.text());
  const auto who = label(name, crossing.process);
  out.emit(kContainerLeft(
      {.time = crossing.time,
       .cgroup_id = crossing.cgroup_id,
       .pid = crossing.process.pid,
       .tid = crossing.process.pid,
       .event_class = TAPIO_NORMAL},
      tapio::name(crossing.severity), arena.keep(who),
      arena.keep(fmt::format("{} in {} {}", who, place_in_words(crossing.cgroup_id, world),
                             crossing.what)),
      "A container that can do so has privileges of the host (--privileged, CAP_SYS_ADMIN, "
      "hostPID); ask whether it has to.",
      count, Value{}, std::span<const std::string_view>(because), crossing.way));
}

}  // namespace tapio::container
