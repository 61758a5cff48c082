// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>

// What this process takes of the node. What its programs take is the kernel's.
namespace tapio::agent {

[[nodiscard]] std::uint64_t resident_bytes();
[[nodiscard]] std::chrono::nanoseconds cpu_time();
[[nodiscard]] std::chrono::nanoseconds cpu_time_of_this_thread();

}  // namespace tapio::agent
