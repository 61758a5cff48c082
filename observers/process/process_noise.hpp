// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "process.abi.h"

namespace tapio::process {

// No detector looks at them.
constexpr bool is_noise(std::int32_t signal) {
  return signal > 0 && signal <= 64 && (TAPIO_PROCESS_NOISE >> (signal - 1) & 1) != 0;
}

}  // namespace tapio::process
