// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "base/result.hpp"

namespace tapio {

inline constexpr std::size_t kMaxSmallFileBytes = 256 << 10;

// A secret is refused when everybody may read or write its file.
enum class Secrecy : std::uint8_t { open, secret };

// All of a file that somebody configured: a certificate, a key, a token.
[[nodiscard]] Result<std::string> read_small_file(const std::string& path, Secrecy secrecy);

}  // namespace tapio
