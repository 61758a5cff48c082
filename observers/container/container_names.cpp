// SPDX-License-Identifier: Apache-2.0
#include "container_names.hpp"

#include <fmt/format.h>

namespace tapio::container {

Names names_of(std::uint64_t cgroup_id, Output& out) {
  const Cgroup* cgroup = out.world().cgroup(cgroup_id);
  if (!cgroup) return {};
  const auto known = [&](std::string_view text) {
    return text.empty() ? Value{} : Value{out.arena().keep(text)};
  };
  return {.container = known(cgroup->container_id),
          .runtime = known(cgroup->runtime),
          .pod = known(cgroup->pod_uid),
          .qos = known(cgroup->qos),
          .unit = known(cgroup->unit),
          .user_unit = known(cgroup->user_unit),
          .path = known(cgroup->path)};
}

std::string entity_of(std::uint64_t cgroup_id, const World& world) {
  constexpr std::size_t kShort = 12;  // of a container's id, as runtimes show it
  const Cgroup* cgroup = world.cgroup(cgroup_id);
  if (!cgroup || cgroup->path.empty()) return fmt::format("cgroup {}", cgroup_id);
  if (!cgroup->container_id.empty()) return "container " + cgroup->container_id.substr(0, kShort);
  if (!cgroup->user_unit.empty()) return "unit " + cgroup->user_unit;
  if (!cgroup->unit.empty()) return "unit " + cgroup->unit;
  return "cgroup " + cgroup->path;
}

}  // namespace tapio::container
