// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace tapio::cli {

[[nodiscard]] bool has_help(std::string_view command);
// Of a command, or of all for "". `words`: those of its list, see words_of().
[[nodiscard]] std::string help(std::string_view command, std::span<const std::string> words);

}  // namespace tapio::cli
