// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nettle/gcm.h>

#include <algorithm>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "dns_quic_keys.hpp"

namespace tapio::dns {

// What clients of TLS and QUIC say first, for tests, byte by byte; wrong ones too.

inline std::string big_endian(std::uint64_t value, std::size_t width) {
  std::string bytes;
  while (width-- > 0) bytes += static_cast<char>(value >> (8 * width));
  return bytes;
}
// With its length in front, of so many bytes.
inline std::string sized(std::size_t width, std::string_view bytes) {
  return big_endian(bytes.size(), width).append(bytes);
}

struct HelloShape {
  std::string server_name = "dns.example";  // "": none
  std::vector<std::string> protocols{};
  char random = 'r';
  std::size_t more = 0;  // bytes of an extension in front of the others, as of large key shares
};

inline std::string extension(std::uint16_t type, std::string_view data) {
  return big_endian(type, 2) + sized(2, data);
}

// A ClientHello with these extensions, as a handshake message.
inline std::string client_hello(char random, std::string_view extensions) {
  std::string body = "\x03\x03" + std::string(32, random);
  body += sized(1, "") + sized(2, "\x13\x01") + sized(1, std::string_view("\0", 1));
  return "\x01" + sized(3, body + sized(2, extensions));
}

inline std::string client_hello(const HelloShape& shape) {
  std::string extensions, protocols;
  if (shape.more > 0) extensions += extension(51, std::string(shape.more, 'k'));
  if (!shape.server_name.empty())
    extensions += extension(0, sized(2, std::string(1, '\0') + sized(2, shape.server_name)));
  for (const auto& protocol : shape.protocols) protocols += sized(1, protocol);
  if (!protocols.empty()) extensions += extension(16, sized(2, protocols));
  return client_hello(shape.random, extensions);
}

// As TLS sends it, in records of at most so many bytes.
inline std::string in_records(std::string_view handshake, std::size_t most = 16'384) {
  std::string records;
  for (; !handshake.empty(); handshake.remove_prefix(std::min(most, handshake.size())))
    records += "\x16\x03\x01" + sized(2, handshake.substr(0, most));
  return records;
}

inline std::string varint(std::uint64_t value) {
  return value < 64 ? big_endian(value, 1) : big_endian(value | 0x4000, 2);
}

inline std::string crypto_frame(std::size_t offset, std::string_view bytes) {
  return "\x06" + varint(offset) + varint(bytes.size()) + std::string(bytes);
}

inline std::vector<std::uint8_t> octets_of(std::string_view bytes) {
  return {bytes.begin(), bytes.end()};
}

// An Initial packet of a client with these frames, and padding up to 1200 bytes, protected as RFC
// 9001 and RFC 9369 have it.
struct InitialShape {
  std::uint32_t version = kQuicV1;
  std::string connection = "\x83\x94\xc8\xf0\x3e\x51\x57\x08";  // as in the RFCs' examples
  std::uint32_t number = 2;
  std::size_t size = 1200;
};
inline std::string sealed_initial(const InitialShape& shape, std::string frames) {
  std::string header(1, static_cast<char>(shape.version == kQuicV2 ? 0xd3 : 0xc3));
  header += big_endian(shape.version, 4) + sized(1, shape.connection) + sized(1, "") + varint(0);
  const std::size_t number_at = header.size() + 2, overhead = number_at + 4 + InitialKeys::kTag;
  frames.resize(std::max(frames.size(), shape.size - overhead));
  header += big_endian((4 + frames.size() + InitialKeys::kTag) | 0x4000, 2);
  auto packet = octets_of(header + big_endian(shape.number, 4) + frames);
  packet.resize(packet.size() + InitialKeys::kTag);

  const auto keys = client_keys(shape.version, octets_of(shape.connection));
  const auto head = number_at + 4;
  gcm_aes128_ctx context;
  gcm_aes128_set_key(&context, keys->key.data());
  gcm_aes128_set_iv(&context, InitialKeys::kNonce, keys->nonce(shape.number).data());
  gcm_aes128_update(&context, head, packet.data());
  gcm_aes128_encrypt(&context, frames.size(), packet.data() + head, packet.data() + head);
  gcm_aes128_digest(&context, InitialKeys::kTag, packet.data() + head + frames.size());

  const auto mask = keys->mask(Octets(packet).subspan(head));
  packet[0] ^= mask[0] & 0x0f;
  for (std::size_t i = 0; i < 4; ++i) packet[number_at + i] ^= mask[i + 1];
  return {packet.begin(), packet.end()};
}

// A hello in one packet.
inline std::string initial_with(const HelloShape& shape, const InitialShape& packet = {}) {
  return sealed_initial(packet, crypto_frame(0, client_hello(shape)));
}

}  // namespace tapio::dns
