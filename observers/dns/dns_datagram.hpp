// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <utility>

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

enum class Transport : std::uint8_t { udp, tcp };
[[nodiscard]] std::string_view name(Transport transport);

// A DNS message that left or reached a device.
struct Datagram {
  Origin origin;  // without a process when it is not known who sent it
  Transport transport = Transport::udp;
  bool was_sent = false;
  std::uint8_t ip_version = 4;
  Endpoint client, server;
  std::uint32_t network_namespace = 0;
  std::string interface;
  std::uint32_t size = 0;  // of the message
  Message message;
  Unread unread{};  // of it; a view of the sample: not to be kept

  // Before the sample is over, by who keeps this or hands it on.
  void read_rest() { decode_rest(std::exchange(unread, {}), message); }
};

// Header and question alone are read.
[[nodiscard]] Result<Datagram> datagram_of(const wire::Sample& sample);

// What all events of messages have.
[[nodiscard]] Endpoint endpoint(const __u8 (&address)[16], std::uint16_t port);
template <typename Event>
Origin origin_of(const Event& e) {
  Origin origin{.time = MonotonicTime(e.header.time_ns),
                .event_class = static_cast<tapio_class>(e.header.event_class)};
  if (e.is_sender == 0) return origin;
  origin.cgroup_id = e.header.cgroup_id;
  origin.pid = e.header.tgid;
  origin.tid = e.header.tid;
  return origin;
}
template <typename Event>
std::string interface_of(const Event& e) {
  return {e.interface, ::strnlen(e.interface, sizeof e.interface)};
}

}  // namespace tapio::dns
