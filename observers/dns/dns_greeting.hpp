// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "dns_datagram.hpp"

namespace tapio::dns {

// What a client sends first to a port of encrypted DNS: the beginning of TLS, or of QUIC.
struct Greeting {
  Origin origin;  // without a process when it is not known who sent it
  Transport transport = Transport::tcp;
  std::uint8_t ip_version = 4;
  Endpoint client, server;  // the client's port is 0 where it is not known
  std::uint32_t network_namespace = 0;
  std::string interface;
  std::uint32_t size = 0;        // of which `bytes` are here
  std::vector<std::byte> bytes;  // none: only that there is a connection
};

[[nodiscard]] bool is_greeting(std::uint16_t kind);
[[nodiscard]] Result<Greeting> greeting_of(const wire::Sample& sample);

// The sample as it may be kept: without its bytes, so with nothing but addresses. False: malformed.
[[nodiscard]] bool without_bytes(const wire::Sample& sample, std::vector<std::byte>& clean);

}  // namespace tapio::dns
