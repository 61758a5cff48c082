// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.hpp"

namespace tapio::agent {

// Capabilities (capabilities(7)) that this process has in effect, bit n for number n.
[[nodiscard]] std::uint64_t effective_capabilities();

// What loading programs needs and `effective` lacks: CAP_BPF and CAP_PERFMON, or CAP_SYS_ADMIN,
// which is also all there is below 5.8.
[[nodiscard]] std::vector<std::string> missing_capabilities(std::uint64_t effective);

// `denied`, with the capabilities that are missing and what to do.
Status check_privileges();

}  // namespace tapio::agent
