// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace tapio::cli {

[[nodiscard]] bool has_help(std::string_view command);
// Of a command, or of all for "". `targets`: what can be traced.
[[nodiscard]] std::string help(std::string_view command, std::span<const std::string> targets);

}  // namespace tapio::cli
