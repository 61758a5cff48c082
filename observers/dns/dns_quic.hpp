// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "base/bytes.hpp"

namespace tapio::dns {

// An Initial packet of a QUIC client. Its keys are made of what stands in it, for anybody to read
// who sees it (RFC 9001, section 5.2; RFC 9369, section 3.3).
struct Initial {
  static constexpr std::size_t kMaxPieces = 64;  // kept; clients that shuffle send a dozen

  // Of the TLS handshake: a CRYPTO frame (RFC 9000, section 19.6).
  struct Piece {
    std::uint64_t offset = 0;
    std::vector<std::byte> bytes;
  };

  std::vector<std::byte> connection;  // the id that the client made up for the server
  std::vector<Piece> pieces;          // in the order of the packet
};

// The one that a datagram begins with. Nothing: it is none, not whole, or its keys are made of
// another packet's id, as are those of all but the first ones of a connection.
[[nodiscard]] std::optional<Initial> open_initial(Bytes datagram);

}  // namespace tapio::dns
