// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.hpp"
#include "dns_message.hpp"

namespace tapio::dns {

// What a client of TLS says first, unencrypted (RFC 8446, section 4.1.2). All texts are printable
// ASCII, odd bytes as \DDD.
struct Hello {
  static constexpr std::size_t kMaxName = 255;     // a longer one is malformed
  static constexpr std::size_t kMaxProtocols = 8;  // kept; clients offer two or three

  std::array<std::byte, 32> random{};  // no two hellos have the same
  std::string server_name;             // RFC 6066, section 3; "": none is in sight
  std::vector<std::string> protocols;  // ALPN (RFC 7301), the one that is liked best first
  Extent extent = Extent::whole;
};

inline constexpr std::size_t kHandshakeHead = 4;  // type and length
// How long the handshake message that begins here is, its head included; nothing: that is not here.
[[nodiscard]] std::optional<std::size_t> handshake_size(Bytes handshake);

// Of a handshake message, as far as it is here; nothing: it is no ClientHello, or less than its
// random number is here.
[[nodiscard]] std::optional<Hello> hello_of(Bytes handshake);

// What the records of TLS carry that begin here; nothing but handshake messages.
[[nodiscard]] std::vector<std::byte> handshake_of(Bytes records);

}  // namespace tapio::dns
