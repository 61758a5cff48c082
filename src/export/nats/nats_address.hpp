// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "base/result.hpp"

namespace tapio::nats {

// Where a server is: "nats://host:port", or "tls://host:port" for one that has to encrypt.
struct Address {
  bool tls = false;
  std::string host;  // a name or a number, IPv6 without brackets
  std::string port;

  [[nodiscard]] bool is_loopback() const;
  [[nodiscard]] std::string text() const;
};

// The port is 4222 unless it is given. A user or a password in it is refused: those belong in
// files.
[[nodiscard]] Result<Address> parse_address(std::string_view url);

}  // namespace tapio::nats
