// SPDX-License-Identifier: Apache-2.0
#include "nats_credentials.hpp"

#include <fmt/format.h>
#include <nettle/base64.h>
#include <nettle/eddsa.h>

#include <algorithm>
#include <span>

#include "base/small_file.hpp"
#include "base/text.hpp"
#include "version.hpp"

namespace tapio::nats {

namespace {

constexpr std::size_t kMaxSecret = 4096;
constexpr std::string_view kJwt = "-----BEGIN NATS USER JWT-----";
constexpr std::string_view kSeed = "-----BEGIN USER NKEY SEED-----";

// Two bytes that say whose seed it is, the seed, and a checksum.
constexpr std::size_t kEncoded = 2 + std::tuple_size_v<Seed> + 2;
constexpr unsigned kIsSeed = 18 << 3, kOfUser = 20 << 3;

// The line behind one that begins so; "": there is none.
std::string_view line_behind(std::string_view text, std::string_view head) {
  const auto at = text.find(head);
  if (at == text.npos) return {};
  text.remove_prefix(std::min(text.find('\n', at), text.size() - 1) + 1);
  text = text.substr(0, text.find('\n'));
  while (text.ends_with('\r') || text.ends_with(' ')) text.remove_suffix(1);
  return text;
}

// RFC 4648, without padding.
std::optional<std::array<std::uint8_t, kEncoded>> decode_base32(std::string_view text) {
  constexpr std::string_view kDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
  std::array<std::uint8_t, kEncoded> out{};
  if (text.size() != (kEncoded * 8 + 4) / 5) return {};
  unsigned bits = 0, have = 0;
  auto* to = out.begin();
  for (const char c : text) {
    const auto digit = kDigits.find(c);
    if (digit == kDigits.npos) return {};
    bits = (bits << 5 | static_cast<unsigned>(digit)) & 0xFFFF;
    have += 5;
    if (have < 8) continue;
    have -= 8;
    if (to != out.end()) *to++ = static_cast<std::uint8_t>(bits >> have);
  }
  return out;
}

// CRC-16/XMODEM.
unsigned checksum(std::span<const std::uint8_t> bytes) {
  unsigned sum = 0;
  for (const std::uint8_t byte : bytes) {
    sum ^= static_cast<unsigned>(byte) << 8;
    for (int i = 0; i < 8; ++i) sum = (sum & 0x8000 ? sum << 1 ^ 0x1021 : sum << 1) & 0xFFFF;
  }
  return sum;
}

std::optional<Seed> decode_seed(std::string_view text) {
  const auto bytes = decode_base32(text);
  if (!bytes) return {};
  const unsigned what = (*bytes)[0] & 0xF8, whose = ((*bytes)[0] & 7) << 5 | (*bytes)[1] >> 3;
  const unsigned sum = (*bytes)[kEncoded - 2] | (*bytes)[kEncoded - 1] << 8;
  if (what != kIsSeed || whose != kOfUser || sum != checksum(std::span(*bytes).first(kEncoded - 2)))
    return {};
  Seed seed{};
  std::copy_n(bytes->begin() + 2, seed.size(), seed.begin());
  return seed;
}

// The one line of a file.
Result<std::string> read_secret(const std::string& path) {
  std::string secret = TRY(read_small_file(path, Secrecy::secret));
  while (secret.ends_with('\n') || secret.ends_with('\r')) secret.pop_back();
  const bool printable = std::ranges::all_of(secret, [](char c) { return c >= ' ' && c != 0x7f; });
  if (secret.empty() || secret.size() > kMaxSecret || !printable)
    return invalid(
        fmt::format("{} wants one line of 1 to {} letters, digits and signs", path, kMaxSecret));
  return secret;
}

void append_member(std::string& out, std::string_view key, std::string_view text) {
  if (text.empty()) return;
  out.append(",\"").append(key).append("\":");
  append_json_string(out, text);
}

}  // namespace

Result<Login> read_login(const Config& config) {
  if (!config.auth_credentials.empty()) {
    const auto text = TRY(read_small_file(config.auth_credentials, Secrecy::secret));
    auto login = parse_credentials(text);
    if (!login) return std::unexpected(std::move(login.error()).within(config.auth_credentials));
    return login;
  }
  Login login;
  if (!config.auth_token_file.empty()) login.token = TRY(read_secret(config.auth_token_file));
  if (!config.auth_user.empty()) {
    login.user = config.auth_user;
    login.password = TRY(read_secret(config.auth_password_file));
  }
  return login;
}

Result<Login> parse_credentials(std::string_view text) {
  Login login;
  login.jwt = line_behind(text, kJwt);
  login.seed = decode_seed(line_behind(text, kSeed));
  if (login.jwt.empty()) return invalid(fmt::format("no JWT behind {}", kJwt));
  if (!login.seed) return invalid(fmt::format("no seed of a user behind {}", kSeed));
  return login;
}

std::string sign(const Seed& seed, std::string_view nonce) {
  std::array<std::uint8_t, ED25519_KEY_SIZE> key{};
  std::array<std::uint8_t, ED25519_SIGNATURE_SIZE> signature{};
  const std::basic_string<std::uint8_t> message(nonce.begin(), nonce.end());
  ed25519_sha512_public_key(key.data(), seed.data());
  ed25519_sha512_sign(key.data(), seed.data(), message.size(), message.data(), signature.data());
  std::string out(BASE64_ENCODE_RAW_LENGTH(ED25519_SIGNATURE_SIZE), '\0');
  base64_encode_raw(out.data(), signature.size(), signature.data());
  std::ranges::replace(out, '+', '-');
  std::ranges::replace(out, '/', '_');
  while (out.ends_with('=')) out.pop_back();
  return out;
}

std::string connect_json(std::string_view name, const Login& login, std::string_view nonce,
                         bool tls) {
  std::string out = fmt::format(
      R"({{"verbose":false,"pedantic":false,"headers":true,"no_responders":true,"echo":false,)"
      R"("protocol":1,"lang":"tapio","version":"{}","tls_required":{})",
      kVersion, tls);
  append_member(out, "name", name);
  append_member(out, "auth_token", login.token);
  append_member(out, "user", login.user);
  append_member(out, "pass", login.password);
  append_member(out, "jwt", login.jwt);
  if (login.seed) append_member(out, "sig", sign(*login.seed, nonce));
  out += '}';
  return out;
}

}  // namespace tapio::nats
