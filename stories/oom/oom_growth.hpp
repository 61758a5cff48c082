// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "facts/world.hpp"

namespace tapio::oom {

// How the memory of a cgroup came to be what it was in the end: "grew from 12 MiB to 64 MiB in 41
// s, 1.2 MiB/s". Readings oldest first. Nothing: too few of them to say.
[[nodiscard]] std::optional<std::string> growth(std::span<const MemoryPoint> points);

}  // namespace tapio::oom
