// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <charconv>
#include <string_view>

// Text of the kernel that is words and numbers between blanks.
namespace tapio::proc {

// The whole of it is a number.
template <typename T>
bool number(std::string_view text, T& out, int base = 10) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out, base);
  return error == std::errc{} && end == text.data() + text.size();
}

// The next run of characters without blanks; "" at the end.
inline std::string_view word(std::string_view& text) {
  constexpr std::string_view kBlank = " \t\n";
  const auto begin = text.find_first_not_of(kBlank);
  if (begin == text.npos) return text = {};
  const auto end = std::min(text.find_first_of(kBlank, begin), text.size());
  const auto found = text.substr(begin, end - begin);
  text.remove_prefix(end);
  return found;
}

}  // namespace tapio::proc
