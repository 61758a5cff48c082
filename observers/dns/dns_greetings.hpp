// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstring>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "dns.abi.h"

namespace tapio::dns {

// What a client says first as the kernel side lays it out, for tests: sent by process 100 from
// 192.0.2.1:4000 to 192.0.2.53.
struct Said {
  MonotonicTime time{};
  std::uint16_t kind = TAPIO_DNS_HELLO;
  std::uint16_t server_port = 443;
  std::uint16_t client_port = 4000;
  std::vector<std::uint8_t> server{192, 0, 2, 53};
  const char* interface = "eth0";
};

inline std::vector<std::byte> sample_of(const Said& said, std::string_view bytes) {
  const auto kept = static_cast<std::uint16_t>(bytes.size());
  const tapio_text text{.offset = sizeof(tapio_dns_segment),
                        .size = kept,
                        .original = static_cast<std::uint32_t>(bytes.size())};
  const auto fill = [&](auto e) {
    e.header = {.time_ns = static_cast<std::uint64_t>(said.time.count()),
                .cgroup_id = 7,
                .tgid = 100,
                .tid = 100,
                .size = static_cast<std::uint16_t>(sizeof e + kept),
                .kind = said.kind,
                .version = 1,
                .event_class = TAPIO_NORMAL};
    const std::uint8_t client[4] = {192, 0, 2, 1};
    std::copy_n(client, sizeof client, e.source);
    std::ranges::copy(said.server, e.destination);
    e.source_port = said.client_port;
    e.destination_port = said.server_port;
    e.ip_version = said.server.size() == 4 ? 4 : 6;
    e.direction = TAPIO_DNS_SENT;
    e.is_sender = 1;
    e.network_namespace = 1;
    std::strncpy(e.interface, said.interface, sizeof e.interface - 1);
    std::vector<std::byte> sample(sizeof e + kept);
    std::memcpy(sample.data(), &e, sizeof e);
    if (kept != 0) std::memcpy(sample.data() + sizeof e, bytes.data(), kept);
    return sample;
  };
  static_assert(sizeof(tapio_dns_segment) == sizeof(tapio_dns_datagram));
  if (said.kind == TAPIO_DNS_HELLO) return fill(tapio_dns_segment{.payload = text});
  return fill(tapio_dns_datagram{.message = text});
}

}  // namespace tapio::dns
