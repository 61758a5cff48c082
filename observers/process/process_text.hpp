// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "observer.hpp"
#include "process.abi.h"

// The text behind the fixed part of an event.
namespace tapio::process {

inline constexpr std::size_t kMaxArgs = 256;  // beyond it arguments are cut, and marked so

// A piece of the tail, as far as it lies in the sample.
[[nodiscard]] Result<std::string_view> piece(const wire::Sample& sample, const tapio_text& text);

// "/usr/bin/ls" from "ls\0bin\0usr\0"; "…/bin/ls" when the way up was not followed to the root.
[[nodiscard]] std::string_view join_path(std::string_view leaf_first, bool complete, Arena& arena);

struct Args {
  std::span<const std::string_view> list;
  bool cut = false;
};
[[nodiscard]] Args split_args(std::string_view text, std::uint64_t original, Arena& arena);

// For recordings. How many bytes the arguments had is then told of them as they are kept: the
// length of a secret is nobody's business either.
bool conceal(const wire::Sample& sample, Redactor& redactor, std::vector<std::byte>& clean);

}  // namespace tapio::process
