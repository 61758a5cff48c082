// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/bytes.hpp"
#include "dns_wire.abi.h"

namespace tapio::dns {

// Of one record; as master files write it, or as RFC 3597 has it ("\# 4 0a0b0c0d") when the type is
// not known or the bytes are not of its shape. Printable ASCII.
inline constexpr std::size_t kMaxDataText = 1024;  // beyond it cut, with "..." at its end
[[nodiscard]] std::string data_text(std::span<const std::uint8_t> message,
                                    const tapio_dns_record& record);

// An address of 4 or 16 bytes; "": of another size.
[[nodiscard]] std::string address_text(std::span<const std::uint8_t> address);

// Text of strangers that is one word, as names are written, but for its dots: odd bytes as \DDD.
[[nodiscard]] std::string printable(std::string_view text);

// The same bytes, as C takes them.
[[nodiscard]] std::span<const std::uint8_t> octets(Bytes bytes);

}  // namespace tapio::dns
