// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace tapio {

// SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP: what an instruction of the process itself raises.
[[nodiscard]] bool is_fault(std::int32_t signal);
// "invalid memory access (address not mapped)"; from si_code.
[[nodiscard]] std::string fault_detail(std::int32_t signal, std::int32_t code);

// Why the kernel sends this signal by itself. Not for faults.
struct KernelReason {
  std::string_view who;     // "kernel", "terminal (Ctrl-C)"
  std::string_view detail;  // a sentence
  double confidence;        // that this is the reason
};
[[nodiscard]] KernelReason kernel_reason(std::int32_t signal);

}  // namespace tapio
