// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>

#include "base/result.hpp"

namespace tapio::agent {

inline constexpr std::uint32_t kMaxCpus = 1024;  // of cpu_set_t

// This thread, and those that it makes from now on, run on these CPUs alone, whichever of them are
// free; none: nothing changes. An error when none of them is there for it, or one is not below
// kMaxCpus.
[[nodiscard]] Status keep_to(std::span<const std::uint32_t> cpus);

}  // namespace tapio::agent
