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
  const Cgroup* cgroup = world.cgroup(cgroup_id);
  if (!cgroup || cgroup->path.empty()) return fmt::format("cgroup {}", cgroup_id);
  if (const auto id = cgroup->container_id; !id.empty()) {  // short, as runtimes show it
    const Container* named = world.container(id);
    return named && !named->name.empty() ? fmt::format("container {} ({:.12})", named->name, id)
                                         : fmt::format("container {:.12}", id);
  }
  if (!cgroup->user_unit.empty()) return fmt::format("unit {}", cgroup->user_unit);
  if (!cgroup->unit.empty()) return fmt::format("unit {}", cgroup->unit);
  return "cgroup " + cgroup->path;
}

}  // namespace tapio::container
