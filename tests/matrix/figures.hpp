// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <bpf/libbpf.h>

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/fd.hpp"

namespace tapio::matrix {

// While it lives, the kernel counts runs of programs and their time (5.8).
Fd count_runs();

struct Runs {
  std::uint64_t count = 0, ns = 0;
};
Runs runs_of(const bpf_program* program);

// Instructions that the verifier walked through: the kernel keeps the number from 5.16 on. An older
// one is asked to verify the loaded program once more and to tell.
std::optional<std::uint64_t> verified_instructions(const bpf_program* program);

// Of a verifier's log: the number in "processed 1234 insns".
std::optional<std::uint64_t> processed_in(std::string_view log);

}  // namespace tapio::matrix
