// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstring>
#include <vector>

#include "dns.abi.h"
#include "dns_messages.hpp"

namespace tapio::dns {

// A datagram as the kernel side lays it out, for tests: sent by process 100 from 192.0.2.1:4000 to
// 192.0.2.53:53, and answers the other way.
struct Packet {
  MonotonicTime time{};
  std::uint8_t direction = TAPIO_DNS_SENT;
  std::uint8_t server = 53;  // the last byte of its address
  std::uint32_t network_namespace = 1;
  std::uint16_t client_port = 4000;
  bool is_sender = true;
  std::uint32_t pid = 100;
};

inline std::vector<std::byte> sample_of(const Packet& packet, const Wire& message) {
  const bool is_answer = (static_cast<unsigned char>(message.text()[2]) & 0x80) != 0;
  const auto size = sizeof(tapio_dns_datagram) + message.text().size();
  tapio_dns_datagram e{.header = {.time_ns = static_cast<std::uint64_t>(packet.time.count()),
                                  .cgroup_id = 7,
                                  .tgid = packet.pid,
                                  .tid = packet.pid,
                                  .size = static_cast<std::uint16_t>(size),
                                  .kind = TAPIO_DNS_DATAGRAM,
                                  .version = TAPIO_DNS_DATAGRAM_VERSION,
                                  .event_class = TAPIO_NORMAL},
                       .source = {192, 0, 2, 1},
                       .destination = {192, 0, 2, packet.server},
                       .source_port = packet.client_port,
                       .destination_port = 53,
                       .ip_version = 4,
                       .direction = packet.direction,
                       .is_sender = packet.is_sender,
                       .network_namespace = packet.network_namespace,
                       .interface_index = 2,
                       .interface = "eth0",
                       .message = {.offset = sizeof(tapio_dns_datagram),
                                   .size = static_cast<std::uint16_t>(message.text().size()),
                                   .original = static_cast<std::uint32_t>(message.text().size())}};
  if (is_answer) {
    std::swap(e.source, e.destination);
    std::swap(e.source_port, e.destination_port);
  }
  std::vector<std::byte> bytes(size);
  std::memcpy(bytes.data(), &e, sizeof e);
  std::memcpy(bytes.data() + sizeof e, message.text().data(), message.text().size());
  return bytes;
}

}  // namespace tapio::dns
