// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <csignal>
#include <cstdint>

namespace tapio::process {

// Sent by the thousand on healthy machines: Go's runtime preempts by SIGURG, databases wake one
// another by it; children end, windows change. No detector looks at them, and without being asked
// nobody is told of them. The same as NOISE in process.bpf.c, which gives them a rate of their own.
constexpr bool is_noise(std::int32_t signal) {
  return signal == SIGURG || signal == SIGCHLD || signal == SIGWINCH;
}

}  // namespace tapio::process
