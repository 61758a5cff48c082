// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <cstring>
#include <string_view>

// Text is looked through eight bytes at a time: most of it has nothing of what is looked for.
namespace tapio::eights {

inline constexpr std::uint64_t kEach = 0x0101010101010101;
inline constexpr std::uint64_t kHigh = 0x80 * kEach;

// Not 0 when one of the eight bytes is below `bound`, which is at most 0x80; is `c`; is not ASCII.
constexpr std::uint64_t below(std::uint64_t bytes, std::uint8_t bound) {
  return (bytes - bound * kEach) & ~bytes & kHigh;
}
constexpr std::uint64_t is(std::uint64_t bytes, char c) {
  return below(bytes ^ static_cast<std::uint8_t>(c) * kEach, 1);
}
constexpr std::uint64_t not_ascii(std::uint64_t bytes) {
  return bytes & kHigh;
}

// Whether `test` is not 0 for some eight bytes of `text`; where it is shorter, letters stand in.
template <typename Test>
bool any(std::string_view text, Test test) {
  constexpr std::size_t kEight = 8;
  std::uint64_t bytes = 'a' * kEach;
  if (text.size() < kEight) {
    if (!text.empty()) std::memcpy(&bytes, text.data(), text.size());
    return test(bytes) != 0;
  }
  const std::size_t last = text.size() - kEight;
  for (std::size_t at = 0; at < last; at += kEight) {
    std::memcpy(&bytes, text.data() + at, kEight);
    if (test(bytes)) return true;
  }
  std::memcpy(&bytes, text.data() + last, kEight);  // some of them for the second time
  return test(bytes) != 0;
}

}  // namespace tapio::eights
