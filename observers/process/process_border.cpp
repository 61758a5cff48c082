// SPDX-License-Identifier: Apache-2.0
#include "process_border.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "facts/place.hpp"
#include "process_noise.hpp"

namespace tapio::process {

namespace {

constexpr std::uint64_t kHostPidNamespace = 0xEFFFFFFC;  // PROC_PID_INIT_INO

// By their cgroups; nothing: they do not tell.
std::optional<bool> crosses_by_cgroup(const SignalSent& fact, const World& world) {
  const Cgroup* from = world.cgroup(fact.sender_cgroup_id);
  const Cgroup* to = world.cgroup(fact.target_cgroup_id);
  if (!from || !to || from->path.empty() || to->path.empty()) return {};
  if (from->container_id.empty()) return {};
  if (from->container_id == to->container_id) return false;
  // Containers of one pod may share their pid namespace, and are meant to.
  if (!from->pod_uid.empty() && from->pod_uid == to->pod_uid) return false;
  // A container within the sender's own, as nodes that are containers have them.
  const auto at = from->path.find(from->container_id);
  if (at == from->path.npos) return {};
  return !to->path.starts_with(from->path.substr(0, at + from->container_id.size()));
}

// Failing that, by pid namespaces: a target whose ancestors are in the sender's one is below it.
bool crosses_by_namespace(const SignalSent& fact, const World& world) {
  const Process* from = world.process(fact.sender);
  const Process* to = world.process(fact.target);
  if (!from || !to || from->pid_namespace == 0 || to->pid_namespace == 0) return false;
  const auto inside = from->pid_namespace;
  if (inside == kHostPidNamespace || to->pid_namespace == inside) return false;
  if (to->pid_namespace == kHostPidNamespace) return true;
  for (const Process* ancestor : world.ancestors(fact.target)) {
    if (ancestor->pid_namespace == inside) return false;
    if (ancestor->pid_namespace == kHostPidNamespace) return true;
  }
  return false;  // not known where it comes from
}

}  // namespace

void SignalAcrossBorder::on(const SignalSent& fact, Output& out) {
  if (!fact.sender || fact.sender == fact.target || is_noise(fact.signal)) return;
  if (fact.result != SignalResult::delivered && fact.result != SignalResult::lose_info) return;
  const World& world = out.world();
  const auto by_cgroup = crosses_by_cgroup(fact, world);
  if (!(by_cgroup ? *by_cgroup : crosses_by_namespace(fact, world))) return;
  Crossing& crossing = pairs_.use({fact.sender, fact.target});
  if (crossing.count++ == 0) crossing.first = fact.time;
  crossing.because.add(fact.evidence);
  if (!crossing.incident.tell(fact.time)) return;
  const std::string signal = signal_name(fact.signal);
  report({.detected = {.time = fact.time,
                       .what = Detection::signal_across_border,
                       .severity = Severity::warning,
                       .process = fact.sender,
                       .process_name = fact.sender_name,
                       .other = fact.target,
                       .other_name = fact.target_name,
                       .cgroup_id = fact.sender_cgroup_id,
                       .count = crossing.count,
                       .window = fact.time - crossing.first,
                       .detail = signal},
          .summary = fmt::format(
              "{} in {} sent {} to {} in {}", label(fact.sender_name, fact.sender),
              place_in_words(fact.sender_cgroup_id, world), signal,
              label(fact.target_name, fact.target), place_in_words(fact.target_cgroup_id, world)),
          .suggestion = "A container that sees processes outside of it shares the host's pid "
                        "namespace; ask whether it has to."},
         crossing.because, out);
}

}  // namespace tapio::process
