// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string_view>

#include "dns_samples.hpp"

namespace tapio::dns {

// A segment as the kernel side lays it out, for tests: as Packet has it.
struct TcpPacket {
  MonotonicTime time{};
  std::uint8_t direction = TAPIO_DNS_SENT;
  bool is_answer = false;
  std::uint32_t network_namespace = 1;
  std::uint16_t client_port = 4000;
  std::uint32_t pid = 100;
  std::uint32_t sequence = 0;
  const char* interface = "eth0";
  std::optional<std::uint32_t> size{};  // that it had; without one: as much as is there
};

inline std::vector<std::byte> segment_sample(const TcpPacket& packet, std::string_view payload) {
  const auto kept = static_cast<std::uint16_t>(payload.size());
  const auto size = sizeof(tapio_dns_segment) + kept;
  tapio_dns_segment e{.header = {.time_ns = static_cast<std::uint64_t>(packet.time.count()),
                                 .cgroup_id = 7,
                                 .tgid = packet.pid,
                                 .tid = packet.pid,
                                 .size = static_cast<std::uint16_t>(size),
                                 .kind = TAPIO_DNS_SEGMENT,
                                 .version = TAPIO_DNS_SEGMENT_VERSION,
                                 .event_class = TAPIO_NORMAL},
                      .source = {192, 0, 2, 1},
                      .destination = {192, 0, 2, 53},
                      .source_port = packet.client_port,
                      .destination_port = 53,
                      .ip_version = 4,
                      .direction = packet.direction,
                      .is_sender = packet.direction == TAPIO_DNS_SENT,
                      .network_namespace = packet.network_namespace,
                      .sequence = packet.sequence,
                      .payload = {.offset = sizeof(tapio_dns_segment),
                                  .size = kept,
                                  .original = packet.size.value_or(kept)}};
  std::strncpy(e.interface, packet.interface, sizeof e.interface - 1);
  if (packet.is_answer) {
    std::swap(e.source, e.destination);
    std::swap(e.source_port, e.destination_port);
  }
  std::vector<std::byte> bytes(size);
  std::memcpy(bytes.data(), &e, sizeof e);
  if (kept != 0) std::memcpy(bytes.data() + sizeof e, payload.data(), kept);
  return bytes;
}

}  // namespace tapio::dns
