// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <cstring>
#include <string_view>

// Text is looked through eight bytes at a time: most of it has nothing of what is looked for.
namespace tapio::eights {

inline constexpr std::uint64_t kEach = 0x0101010101010101;
inline constexpr std::uint64_t kHigh = 0x80 * kEach;
inline constexpr std::size_t kEight = 8;

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

// Not 0 when one of the eight bytes is not as it is in a string of JSON (RFC 8259, section 7), or
// might steer a terminal.
constexpr std::uint64_t not_plain_json(std::uint64_t bytes) {
  return not_ascii(bytes) | below(bytes, ' ') | is(bytes, '"') | is(bytes, '\\') | is(bytes, 0x7F);
}

// The bytes of a text shorter than eight, in any order, and letters. Without a call of memcpy(),
// which takes longer than the rest.
inline std::uint64_t few(std::string_view text) {
  const auto* const from = text.data();
  const std::size_t size = text.size();
  if (size >= 4) {
    std::uint32_t first = 0, last = 0;
    std::memcpy(&first, from, 4);
    std::memcpy(&last, from + size - 4, 4);
    return first | std::uint64_t{last} << 32;
  }
  std::uint64_t bytes = 'a' * kEach;
  for (std::size_t i = 0; i < size; ++i) bytes = bytes << 8 | static_cast<std::uint8_t>(from[i]);
  return bytes;
}

// Whether `test` is not 0 for some eight bytes of `text`; where it is shorter, letters stand in.
template <typename Test>
bool any(std::string_view text, Test test) {
  if (text.size() < kEight) return test(few(text)) != 0;
  std::uint64_t bytes = 0;
  const std::size_t last = text.size() - kEight;
  for (std::size_t at = 0; at < last; at += kEight) {
    std::memcpy(&bytes, text.data() + at, kEight);
    if (test(bytes)) return true;
  }
  std::memcpy(&bytes, text.data() + last, kEight);  // some of them for the second time
  return test(bytes) != 0;
}

// Copies `text` while it is tested: whether `test` was not 0 for some of it. For texts of a few
// dozen bytes; longer ones are copied faster by memcpy().
template <typename Test>
bool copy(char* to, std::string_view text, Test test) {
  const char* const from = text.data();
  const std::size_t size = text.size();
  if (size < kEight) {
    if (size >= 4) {
      std::memcpy(to, from, 4);
      std::memcpy(to + size - 4, from + size - 4, 4);
    } else {
      for (std::size_t i = 0; i < size; ++i) to[i] = from[i];
    }
    return test(few(text)) != 0;
  }
  const std::size_t last = size - kEight;
  std::uint64_t bytes = 0, found = 0;
  for (std::size_t at = 0; at < last; at += kEight) {
    std::memcpy(&bytes, from + at, kEight);
    found |= test(bytes);
    std::memcpy(to + at, &bytes, kEight);
  }
  std::memcpy(&bytes, from + last, kEight);
  std::memcpy(to + last, &bytes, kEight);
  return (found | test(bytes)) != 0;
}

}  // namespace tapio::eights
