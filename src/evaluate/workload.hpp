// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "facts/world.hpp"

namespace tapio {

// What people call what runs in a cgroup: a pod, a container, or a service. A slice or a
// session has too many in it that have nothing to do with one another.
struct Workload {
  std::string id;         // "": none of these, or it is not known
  std::string_view kind;  // "pod", "container", "unit"
};
[[nodiscard]] Workload workload_of(std::uint64_t cgroup_id, const World& world);

}  // namespace tapio
