// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <chrono>
#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>

// Numbers and text as bytes that are read back in the same order. Numbers take 7 bits a byte, least
// first (LEB128); signed ones are folded, so that small ones stay short.
namespace tapio {

class Packer {
 public:
  Packer& operator()(std::unsigned_integral auto value) {
    std::array<char, 10> bytes;  // 64 bits by 7
    std::size_t size = 0;
    std::uint64_t rest = value;
    for (; rest > 0x7f; rest >>= 7) bytes[size++] = static_cast<char>(0x80 | (rest & 0x7f));
    bytes[size++] = static_cast<char>(rest);
    out_.append(bytes.data(), size);
    return *this;
  }
  Packer& operator()(std::signed_integral auto value) {
    const std::int64_t wide = value;
    return (*this)(static_cast<std::uint64_t>(wide) << 1 ^ static_cast<std::uint64_t>(wide >> 63));
  }
  Packer& operator()(std::chrono::nanoseconds time) { return (*this)(time.count()); }
  Packer& operator()(std::string_view text) {
    (*this)(text.size());
    out_ += text;
    return *this;
  }
  [[nodiscard]] std::string& bytes() { return out_; }

 private:
  std::string out_;
};

// Reads what anybody may have written: after the first thing that does not fit, everything is zero
// and empty, and ok() is false. Text is a view into the bytes.
class Unpacker {
 public:
  explicit Unpacker(std::string_view bytes) : rest_(bytes) {}

  Unpacker& operator()(std::unsigned_integral auto& value) {
    const std::uint64_t wide = number();
    value = static_cast<std::remove_reference_t<decltype(value)>>(wide);
    if (value != wide) fail(), value = {};
    return *this;
  }
  Unpacker& operator()(std::signed_integral auto& value) {
    const std::uint64_t folded = number();
    const auto wide = static_cast<std::int64_t>(folded >> 1 ^ (~(folded & 1) + 1));
    value = static_cast<std::remove_reference_t<decltype(value)>>(wide);
    if (value != wide) fail(), value = {};
    return *this;
  }
  Unpacker& operator()(std::chrono::nanoseconds& time) {
    std::int64_t count = 0;
    (*this)(count);
    time = std::chrono::nanoseconds(count);
    return *this;
  }
  Unpacker& operator()(std::string_view& text) {
    const std::uint64_t size = number();
    if (size > rest_.size()) fail();
    text = ok_ ? rest_.substr(0, size) : std::string_view{};
    rest_.remove_prefix(text.size());
    return *this;
  }
  [[nodiscard]] bool ok() const { return ok_; }
  // All was read, and fitted.
  [[nodiscard]] bool done() const { return ok_ && rest_.empty(); }
  [[nodiscard]] std::string_view rest() const { return rest_; }
  void fail() {
    ok_ = false;
    rest_ = {};
  }

 private:
  std::uint64_t number() {
    std::uint64_t value = 0;
    for (unsigned shift = 0; shift < 64 && !rest_.empty(); shift += 7) {
      const auto byte = static_cast<unsigned char>(rest_.front());
      if (shift == 63 && byte > 1) break;  // beyond 64 bits
      rest_.remove_prefix(1);
      value |= std::uint64_t{byte & 0x7fu} << shift;
      if (byte < 0x80) return value;
    }
    fail();
    return 0;
  }

  std::string_view rest_;
  bool ok_ = true;
};

}  // namespace tapio
