// SPDX-License-Identifier: Apache-2.0
#include "dns_greeting.hpp"

#include <cstring>

namespace tapio::dns {

namespace {

template <typename Event>
Result<Greeting> greeting_of(const Event& e, const tapio_text& said, Transport transport,
                             const wire::Sample& sample) {
  if (e.ip_version != 4 && e.ip_version != 6) return invalid("dns: neither IPv4 nor IPv6");
  const Bytes bytes = TRY(wire::slice(sample, said.offset, said.size));
  return Greeting{.origin = origin_of(e),
                  .transport = transport,
                  .ip_version = e.ip_version,
                  .client = endpoint(e.source, e.source_port),
                  .server = endpoint(e.destination, e.destination_port),
                  .network_namespace = e.network_namespace,
                  .interface = interface_of(e),
                  .size = said.original,
                  .bytes = {bytes.begin(), bytes.end()}};
}

template <typename Event>
void keep_head(Event e, tapio_text Event::* said, std::vector<std::byte>& clean) {
  e.header.size = sizeof e;
  e.*said = {};
  clean.resize(sizeof e);
  std::memcpy(clean.data(), &e, sizeof e);
}

}  // namespace

bool is_greeting(std::uint16_t kind) {
  return kind == TAPIO_DNS_HELLO || kind == TAPIO_DNS_INITIAL;
}

Result<Greeting> greeting_of(const wire::Sample& sample) {
  if (sample.header.kind == TAPIO_DNS_HELLO) {
    const auto e = TRY(wire::event<tapio_dns_segment>(sample, TAPIO_DNS_HELLO_VERSION));
    return greeting_of(e, e.payload, Transport::tcp, sample);
  }
  const auto e = TRY(wire::event<tapio_dns_datagram>(sample, TAPIO_DNS_INITIAL_VERSION));
  return greeting_of(e, e.message, Transport::udp, sample);
}

bool without_bytes(const wire::Sample& sample, std::vector<std::byte>& clean) {
  if (sample.header.kind == TAPIO_DNS_HELLO) {
    const auto e = wire::event<tapio_dns_segment>(sample, TAPIO_DNS_HELLO_VERSION);
    if (e) keep_head(*e, &tapio_dns_segment::payload, clean);
    return e.has_value();
  }
  const auto e = wire::event<tapio_dns_datagram>(sample, TAPIO_DNS_INITIAL_VERSION);
  if (e) keep_head(*e, &tapio_dns_datagram::message, clean);
  return e.has_value();
}

}  // namespace tapio::dns
