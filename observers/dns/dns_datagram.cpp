// SPDX-License-Identifier: Apache-2.0
#include "dns_datagram.hpp"

#include <algorithm>
#include <cstring>

#include "dns_rdata.hpp"

namespace tapio::dns {

namespace {

Origin origin_of(const tapio_dns_datagram& e) {
  Origin origin{.time = MonotonicTime(e.header.time_ns),
                .event_class = static_cast<tapio_class>(e.header.event_class)};
  if (e.is_sender == 0) return origin;
  origin.cgroup_id = e.header.cgroup_id;
  origin.pid = e.header.tgid;
  origin.tid = e.header.tid;
  return origin;
}

Endpoint endpoint(const __u8 (&address)[16], std::uint16_t port) {
  Endpoint endpoint{.port = port};
  std::ranges::copy(address, endpoint.address.begin());
  return endpoint;
}

}  // namespace

std::string address_text(const Endpoint& endpoint, std::uint8_t ip_version) {
  return address_text(std::span(endpoint.address).first(ip_version == 4 ? 4 : 16));
}

Result<Datagram> datagram_of(const wire::Sample& sample) {
  if (sample.header.kind != TAPIO_DNS_DATAGRAM) return invalid("dns: unknown kind");
  const auto e = TRY(wire::event<tapio_dns_datagram>(sample, TAPIO_DNS_DATAGRAM_VERSION));
  if (e.ip_version != 4 && e.ip_version != 6) return invalid("dns: neither IPv4 nor IPv6");
  const Bytes bytes = TRY(wire::slice(sample, e.message.offset, e.message.size));
  Datagram d{.origin = origin_of(e),
             .was_sent = e.direction == TAPIO_DNS_SENT,
             .ip_version = e.ip_version,
             .network_namespace = e.network_namespace,
             .interface = {e.interface, ::strnlen(e.interface, sizeof e.interface)},
             .size = e.message.original,
             .message = TRY(decode(bytes, e.message.original))};
  d.client = endpoint(e.source, e.source_port);
  d.server = endpoint(e.destination, e.destination_port);
  if (d.message.is_answer()) std::swap(d.client, d.server);
  return d;
}

}  // namespace tapio::dns
