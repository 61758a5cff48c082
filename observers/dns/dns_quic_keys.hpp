// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>

namespace tapio::dns {

using Octets = std::span<const std::uint8_t>;

inline constexpr std::uint32_t kQuicV1 = 1, kQuicV2 = 0x6b3343cf;

// What protects the Initial packets of a client: AES-128-GCM, and AES-128 for the header.
struct InitialKeys {
  static constexpr std::size_t kKey = 16, kNonce = 12, kTag = 16, kSample = 16, kMask = 5;

  std::array<std::uint8_t, kKey> key{};
  std::array<std::uint8_t, kNonce> iv{};
  std::array<std::uint8_t, kKey> header_key{};

  // RFC 9001, section 5.4.3: what the bits of a header are mixed with.
  [[nodiscard]] std::array<std::uint8_t, kMask> mask(Octets sample) const;
  // Section 5.3.
  [[nodiscard]] std::array<std::uint8_t, kNonce> nonce(std::uint64_t packet_number) const;
};

// Of the id that the client made up for the server; nothing: another version.
[[nodiscard]] std::optional<InitialKeys> client_keys(std::uint32_t version, Octets connection);

}  // namespace tapio::dns
