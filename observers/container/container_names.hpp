// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "facts/world.hpp"
#include "observer.hpp"

namespace tapio::container {

// What records say of a cgroup.
struct Names {
  Value container, runtime, pod, qos, unit, user_unit, path;
};
[[nodiscard]] Names names_of(std::uint64_t cgroup_id, Output& out);

// "container web (4f797c539e6c)", "container 4f797c539e6c", "unit nginx.service", "cgroup /x": what
// people call it.
[[nodiscard]] std::string entity_of(std::uint64_t cgroup_id, const World& world);

}  // namespace tapio::container
