// SPDX-License-Identifier: Apache-2.0
#include "facts/place.hpp"

#include <fmt/format.h>

namespace tapio {

std::string container_in_words(std::string_view id, const World& world) {
  const Container* named = world.container(id);
  if (!named || named->name.empty()) return fmt::format("container {:.12}", id);
  return fmt::format("container {} ({:.12})", named->name, id);
}

std::string place_in_words(std::uint64_t cgroup_id, const World& world) {
  const Cgroup* cgroup = world.cgroup(cgroup_id);
  if (!cgroup || cgroup->path.empty()) return fmt::format("cgroup {}", cgroup_id);
  if (!cgroup->container_id.empty()) return container_in_words(cgroup->container_id, world);
  if (!cgroup->user_unit.empty()) return fmt::format("unit {}", cgroup->user_unit);
  if (!cgroup->unit.empty()) return fmt::format("unit {}", cgroup->unit);
  return "cgroup " + cgroup->path;
}

}  // namespace tapio
