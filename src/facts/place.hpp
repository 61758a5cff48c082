// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "facts/world.hpp"

// How people call where something happens.
namespace tapio {

// "container web (4f797c539e6c)", or without its name when no runtime has told it.
[[nodiscard]] std::string container_in_words(std::string_view id, const World& world);

// Its container, else its unit, as "unit nginx.service", else "cgroup /x"; "cgroup 77" when nothing
// is known of it.
[[nodiscard]] std::string place_in_words(std::uint64_t cgroup_id, const World& world);

}  // namespace tapio
