// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>

#include "base/bytes.hpp"

namespace tapio::dns {

// Bytes of strangers, from the first on. What is not there reads as 0 or as less, and is
// remembered.
class ByteReader {
 public:
  explicit ByteReader(Bytes bytes) : left_(bytes) {}

  // Big-endian, of at most eight bytes.
  std::uint64_t number(std::size_t width) {
    std::uint64_t value = 0;
    for (const std::byte byte : take(width)) value = value << 8 | std::to_integer<unsigned>(byte);
    return is_short_ ? 0 : value;
  }
  // RFC 9000, section 16: the first two bits say how long it is.
  std::uint64_t varint() {
    if (left_.empty()) return number(1);
    const unsigned bits = std::to_integer<unsigned>(left_.front()) >> 6;
    const std::size_t width = std::size_t{1} << bits;
    return number(width) & ~(std::uint64_t{3} << (8 * width - 2));
  }
  Bytes take(std::uint64_t count) {
    is_short_ = is_short_ || count > left_.size();
    const Bytes taken = left_.first(std::min<std::uint64_t>(count, left_.size()));
    left_ = left_.subspan(taken.size());
    return taken;
  }

  [[nodiscard]] Bytes left() const { return left_; }
  [[nodiscard]] bool is_short() const { return is_short_; }  // more was wanted than there is

 private:
  Bytes left_;
  bool is_short_ = false;
};

}  // namespace tapio::dns
