// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "nats_config.hpp"

// Who we are, for a server. All of it comes from files, which are read anew for each connection, so
// that a secret may be changed while the agent runs.
namespace tapio::nats {

// The key of a user (NKey): Ed25519.
using Seed = std::array<std::uint8_t, 32>;

struct Login {
  std::string token;
  std::string user, password;
  std::string jwt;
  std::optional<Seed> seed;
};
[[nodiscard]] Result<Login> read_login(const Config& config);

// Of a .creds file: the JWT of a user, and the seed of its key.
[[nodiscard]] Result<Login> parse_credentials(std::string_view text);

// Base64 for URLs, without padding, as CONNECT wants it.
[[nodiscard]] std::string sign(const Seed& seed, std::string_view nonce);

// The JSON of CONNECT. `name` is what the server shows of us.
[[nodiscard]] std::string connect_json(std::string_view name, const Login& login,
                                       std::string_view nonce, bool tls);

}  // namespace tapio::nats
