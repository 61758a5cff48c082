// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string>
#include <vector>

namespace tapio::cli {

// The commands that have a page of their own, by their first words: "run", "config".
[[nodiscard]] std::vector<std::string> manual_pages();

// A page for man(1): of a command, or of all for "". `words`: those of its list, see words_of().
[[nodiscard]] std::string manual(const std::string& command, const std::string& version,
                                 std::span<const std::string> words);

}  // namespace tapio::cli
