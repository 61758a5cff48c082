// SPDX-License-Identifier: Apache-2.0
#include "container_names.hpp"

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

}  // namespace tapio::container
