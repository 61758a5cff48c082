// SPDX-License-Identifier: Apache-2.0
#include "dns_quic.hpp"

#include <nettle/gcm.h>

#include <algorithm>

#include "dns_bytes.hpp"
#include "dns_quic_keys.hpp"
#include "dns_rdata.hpp"

namespace tapio::dns {

namespace {

constexpr std::size_t kMaxConnectionId = 20;     // RFC 9000, section 17.2
constexpr std::size_t kLongestPacketNumber = 4;  // and where it would end, the sample begins

// A packet with protection, as its header tells: what it holds begins with the packet number.
struct Sealed {
  std::uint32_t version = 0;
  Bytes connection;
  std::size_t number_at = 0;
  std::size_t size = 0;  // of the packet number and of what stands behind it
};

// RFC 9000, section 17.2.2; RFC 9369, section 3.2.
bool is_initial(std::uint64_t first, std::uint64_t version) {
  const auto type = first & 0xf0;
  return (version == kQuicV1 && type == 0xc0) || (version == kQuicV2 && type == 0xd0);
}

std::optional<Sealed> header_of(Bytes datagram) {
  ByteReader header(datagram);
  Sealed sealed;
  const auto first = header.number(1);
  sealed.version = static_cast<std::uint32_t>(header.number(4));
  const auto id_size = header.number(1);
  sealed.connection = header.take(id_size);
  header.take(header.number(1));  // the client's own id
  header.take(header.varint());   // token
  sealed.size = header.varint();
  sealed.number_at = datagram.size() - header.left().size();
  if (header.is_short() || !is_initial(first, sealed.version) || id_size > kMaxConnectionId ||
      sealed.size > header.left().size() ||
      sealed.size < kLongestPacketNumber + InitialKeys::kSample)
    return {};
  return sealed;
}

// The packet without its protection, which is taken off in place; nothing: that is another's.
std::optional<Octets> unseal(const Sealed& sealed, const InitialKeys& keys,
                             std::vector<std::uint8_t>& packet) {
  const auto mask = keys.mask(Octets(packet).subspan(sealed.number_at + kLongestPacketNumber));
  packet[0] ^= mask[0] & 0x0f;
  const std::size_t number_size = (packet[0] & 0x03) + 1u;
  std::uint64_t number = 0;
  for (std::size_t i = 0; i < number_size; ++i) {
    auto& byte = packet[sealed.number_at + i];
    byte ^= mask[i + 1];
    number = number << 8 | byte;
  }
  const auto head_size = sealed.number_at + number_size;
  const auto size = sealed.size - number_size - InitialKeys::kTag;
  gcm_aes128_ctx context;
  gcm_aes128_set_key(&context, keys.key.data());
  gcm_aes128_set_iv(&context, InitialKeys::kNonce, keys.nonce(number).data());
  gcm_aes128_update(&context, head_size, packet.data());
  std::uint8_t* const payload = packet.data() + head_size;
  gcm_aes128_decrypt(&context, size, payload, payload);
  std::array<std::uint8_t, InitialKeys::kTag> tag{};
  gcm_aes128_digest(&context, tag.size(), tag.data());
  if (!std::equal(tag.begin(), tag.end(), payload + size)) return {};
  return Octets(payload, size);
}

enum Frame : std::uint8_t { padding = 0, ping = 1, ack = 2, ack_ecn = 3, crypto = 6 };

void skip_ack(ByteReader& frames, bool has_ecn) {
  frames.varint();  // the largest
  frames.varint();  // delay
  const auto ranges = frames.varint();
  frames.varint();  // the first range
  for (std::uint64_t i = 0; i < ranges && !frames.is_short(); ++i) {
    frames.varint();  // gap
    frames.varint();  // range
  }
  for (int i = 0; has_ecn && i < 3; ++i) frames.varint();
}

// Section 12.4: an Initial packet has few kinds of frames. Others, and what is behind them, are
// nothing to us.
std::vector<Initial::Piece> pieces_of(Bytes payload) {
  std::vector<Initial::Piece> pieces;
  ByteReader frames(payload);
  while (!frames.left().empty() && !frames.is_short()) {
    const auto type = frames.varint();
    if (type == padding || type == ping) continue;
    if (type == ack || type == ack_ecn) {
      skip_ack(frames, type == ack_ecn);
      continue;
    }
    if (type != crypto) break;
    const auto offset = frames.varint();
    const Bytes bytes = frames.take(frames.varint());
    if (frames.is_short() || pieces.size() == Initial::kMaxPieces) break;
    pieces.push_back({.offset = offset, .bytes = {bytes.begin(), bytes.end()}});
  }
  return pieces;
}

}  // namespace

std::optional<Initial> open_initial(Bytes datagram) {
  const auto sealed = header_of(datagram);
  if (!sealed) return {};
  const auto keys = client_keys(sealed->version, octets(sealed->connection));
  if (!keys) return {};
  const auto sealed_packet = octets(datagram.first(sealed->number_at + sealed->size));
  std::vector packet(sealed_packet.begin(), sealed_packet.end());  // opened in place
  const auto payload = unseal(*sealed, *keys, packet);
  if (!payload) return {};
  return Initial{.connection = {sealed->connection.begin(), sealed->connection.end()},
                 .pieces = pieces_of(std::as_bytes(*payload))};
}

}  // namespace tapio::dns
