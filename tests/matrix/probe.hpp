// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "cell.hpp"
#include "observer.hpp"
#include "trigger.hpp"

namespace tapio::matrix {

// Loads, attaches and triggers every program of one observer, each in the place of the others. The
// calling process must have one thread. `song` is the canary's, see capture::Canary; for
// `cpus_per_ring` see capture::group_cpus().
std::vector<Cell> try_programs(const Descriptor& descriptor, const capture::Kernel& kernel,
                               std::uint32_t cpus_per_ring, std::span<const Trigger> triggers,
                               const std::vector<std::string>& song);

}  // namespace tapio::matrix
