// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <string>

#include "dns.abi.h"
#include "dns_message.hpp"
#include "observer.hpp"

namespace tapio::dns {

struct Endpoint {
  std::array<std::uint8_t, 16> address{};  // IPv4: the first four bytes
  std::uint16_t port = 0;
  auto operator<=>(const Endpoint&) const = default;
};
// "192.0.2.53".
[[nodiscard]] std::string address_text(const Endpoint& endpoint, std::uint8_t ip_version);

// A DNS message that left or reached a device.
struct Datagram {
  Origin origin;  // without a process when it is not known who sent it
  bool was_sent = false;
  std::uint8_t ip_version = 4;
  Endpoint client, server;
  std::uint32_t network_namespace = 0;
  std::string interface;
  std::uint32_t size = 0;  // of the message
  Message message;
};

[[nodiscard]] Result<Datagram> datagram_of(const wire::Sample& sample);

}  // namespace tapio::dns
