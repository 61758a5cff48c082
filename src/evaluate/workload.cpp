// SPDX-License-Identifier: Apache-2.0
#include "evaluate/workload.hpp"

#include <fmt/format.h>

namespace tapio {

// A container of a pod gets a new id when it is started again; the pod stays.
Workload workload_of(std::uint64_t cgroup_id, const World& world) {
  const Cgroup* cgroup = cgroup_id != 0 ? world.cgroup(cgroup_id) : nullptr;
  if (!cgroup) return {};
  if (!cgroup->pod_uid.empty()) return {.id = cgroup->pod_uid, .kind = "pod"};
  if (!cgroup->container_id.empty())
    return {.id = std::string(cgroup->container_id), .kind = "container"};
  const auto unit = cgroup->user_unit.empty() ? cgroup->unit : cgroup->user_unit;
  if (unit.ends_with(".service"))
    return {.id = fmt::format("{}/{}", cgroup->unit, unit), .kind = "unit"};
  return {};
}

}  // namespace tapio
