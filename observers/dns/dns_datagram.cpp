// SPDX-License-Identifier: Apache-2.0
#include "dns_datagram.hpp"

#include <algorithm>

#include "dns_rdata.hpp"

namespace tapio::dns {

std::string_view name(Transport transport) {
  return transport == Transport::udp ? "udp" : "tcp";
}

Endpoint endpoint(const __u8 (&address)[16], std::uint16_t port) {
  Endpoint endpoint{.port = port};
  std::ranges::copy(address, endpoint.address.begin());
  return endpoint;
}

std::string address_text(const Endpoint& endpoint, std::uint8_t ip_version) {
  return address_text(std::span(endpoint.address).first(ip_version == 4 ? 4 : 16));
}

Result<Datagram> datagram_of(const wire::Sample& sample) {
  const auto e = TRY(wire::event<tapio_dns_datagram>(sample, TAPIO_DNS_DATAGRAM_VERSION));
  if (e.ip_version != 4 && e.ip_version != 6) return invalid("dns: neither IPv4 nor IPv6");
  const Bytes bytes = TRY(wire::slice(sample, e.message.offset, e.message.size));
  Unread unread;
  Datagram d{.origin = origin_of(e),
             .was_sent = e.direction == TAPIO_DNS_SENT,
             .ip_version = e.ip_version,
             .network_namespace = e.network_namespace,
             .interface = interface_of(e),
             .size = e.message.original,
             .message = TRY(decode_question(bytes, e.message.original, unread)),
             .unread = unread};
  d.client = endpoint(e.source, e.source_port);
  d.server = endpoint(e.destination, e.destination_port);
  if (d.message.is_answer()) std::swap(d.client, d.server);
  return d;
}

}  // namespace tapio::dns
