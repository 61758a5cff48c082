// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "facts/world.hpp"
#include "observer.hpp"

namespace tapio::container {

// What records say of a cgroup.
struct Names {
  Value container, runtime, pod, qos, unit, user_unit, path;
};
[[nodiscard]] Names names_of(std::uint64_t cgroup_id, Output& out);

}  // namespace tapio::container
