// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

#include "base/result.hpp"

namespace tapio {

enum class Secrecy : std::uint8_t { open, secret };

// A file of no more than 256 KiB, like a token or a certificate. invalid: it is larger, no regular
// file, or a secret that everybody may read.
[[nodiscard]] Result<std::string> read_small_file(const std::string& path, Secrecy secrecy);

}  // namespace tapio
