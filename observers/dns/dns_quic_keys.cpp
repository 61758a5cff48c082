// SPDX-License-Identifier: Apache-2.0
#include "dns_quic_keys.hpp"

#include <nettle/aes.h>
#include <nettle/hkdf.h>
#include <nettle/hmac.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

namespace tapio::dns {

namespace {

using Secret = std::array<std::uint8_t, SHA256_DIGEST_SIZE>;

// RFC 9001, section 5.2; RFC 9369, section 3.3.1.
constexpr std::array<std::uint8_t, 20> kSaltV1{0x38, 0x76, 0x2c, 0xf7, 0xf5, 0x59, 0x34,
                                               0xb3, 0x4d, 0x17, 0x9a, 0xe6, 0xa4, 0xc8,
                                               0x0c, 0xad, 0xcc, 0xbb, 0x7f, 0x0a};
constexpr std::array<std::uint8_t, 20> kSaltV2{0x0d, 0xed, 0xe3, 0xde, 0xf7, 0x00, 0xa6,
                                               0xdb, 0x81, 0x93, 0x81, 0xbe, 0x6e, 0x26,
                                               0x9d, 0xcb, 0xf9, 0xbd, 0x2e, 0xd9};

void update(void* context, std::size_t size, const std::uint8_t* bytes) {
  hmac_sha256_update(static_cast<hmac_sha256_ctx*>(context), size, bytes);
}
void digest(void* context, std::size_t size, std::uint8_t* out) {
  hmac_sha256_digest(static_cast<hmac_sha256_ctx*>(context), size, out);
}

Secret extract(Octets salt, Octets connection) {
  hmac_sha256_ctx context;
  hmac_sha256_set_key(&context, salt.size(), salt.data());
  Secret secret{};
  hkdf_extract(&context, update, digest, secret.size(), connection.size(), connection.data(),
               secret.data());
  return secret;
}

// HKDF-Expand-Label of RFC 8446, section 7.1, without a context.
void expand(const Secret& secret, std::string_view label, std::span<std::uint8_t> out) {
  const std::string name = "tls13 " + std::string(label);
  std::vector<std::uint8_t> info{0, static_cast<std::uint8_t>(out.size()),
                                 static_cast<std::uint8_t>(name.size())};
  info.insert(info.end(), name.begin(), name.end());
  info.push_back(0);
  hmac_sha256_ctx context;
  hmac_sha256_set_key(&context, secret.size(), secret.data());
  hkdf_expand(&context, update, digest, secret.size(), info.size(), info.data(), out.size(),
              out.data());
}

}  // namespace

std::optional<InitialKeys> client_keys(std::uint32_t version, Octets connection) {
  if (version != kQuicV1 && version != kQuicV2) return {};
  const std::string prefix = version == kQuicV1 ? "quic " : "quicv2 ";
  Secret client{};
  expand(extract(version == kQuicV1 ? kSaltV1 : kSaltV2, connection), "client in", client);
  InitialKeys keys;
  expand(client, prefix + "key", keys.key);
  expand(client, prefix + "iv", keys.iv);
  expand(client, prefix + "hp", keys.header_key);
  return keys;
}

std::array<std::uint8_t, InitialKeys::kMask> InitialKeys::mask(Octets sample) const {
  aes128_ctx context;
  aes128_set_encrypt_key(&context, header_key.data());
  std::array<std::uint8_t, AES_BLOCK_SIZE> block{};
  aes128_encrypt(&context, block.size(), block.data(), sample.first(kSample).data());
  std::array<std::uint8_t, kMask> mask{};
  std::copy_n(block.begin(), mask.size(), mask.begin());
  return mask;
}

std::array<std::uint8_t, InitialKeys::kNonce> InitialKeys::nonce(
    std::uint64_t packet_number) const {
  auto nonce = iv;
  for (std::size_t i = 0; i < sizeof packet_number; ++i)
    nonce[nonce.size() - 1 - i] ^= static_cast<std::uint8_t>(packet_number >> (8 * i));
  return nonce;
}

}  // namespace tapio::dns
