// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>

#include "base/fd.hpp"
#include "base/result.hpp"

namespace tapio::capture {

// What the kernel has counted of a program so far: 5.1 (492ecee892c2), while somebody wants it to.
struct RunTime {
  std::uint64_t runs = 0;
  std::chrono::nanoseconds time{};  // the clock is read twice a run, which is not in it
};
// Zeros where it never counted. unavailable: the kernel does not tell of this descriptor.
[[nodiscard]] Result<RunTime> run_time(int program_fd);

// The kernel counts, for all programs of the node and at some 50 ns a run, while the descriptor is
// open: 5.8 (d46edd671a14). denied: it takes CAP_SYS_ADMIN. unsupported: an older kernel.
// Whoever has set the sysctl kernel.bpf_stats_enabled has it count all the time.
[[nodiscard]] Result<Fd> count_run_time();

}  // namespace tapio::capture
