// SPDX-License-Identifier: Apache-2.0
#include "dns.abi.h"
#include "dns.skel.h"
#include "dns_hooks.hpp"
#include "dns_observer.hpp"
#include "dns_schemas.hpp"

namespace tapio::dns {

namespace {

capture::Wishes wishes(const config::Section& settings) {
  const auto& config = settings.as<Config>();
  capture::Wishes wishes{.ring_bytes = config.ring.bytes};
  wishes.rate_per_second[TAPIO_NORMAL] = config.packets_per_second;
  wishes.rate_per_second[TAPIO_BULK] = config.packets_per_second;
  return wishes;
}

Result<std::unique_ptr<Observer>> start(const Start& start) {
  const auto& config = start.settings.as<Config>();
  TRY(config.check());
  TRY(start.programs.load<dns_bpf>(kHooks, wishes(start.settings), [&](dns_bpf& s) {
    for (std::size_t i = 0; i < config.ports.size(); ++i)
      s.rodata->ports[i] = static_cast<std::uint16_t>(config.ports[i]);
    s.rodata->served = config.served;
  }));
  return std::make_unique<DnsObserver>(config);
}

}  // namespace

extern const Descriptor descriptor;
const Descriptor descriptor{
    .name = "dns",
    .id = TAPIO_DNS_DATAGRAM >> 8,
    .summary = "DNS: every query over UDP, its answer, and the ones without.",
    .hooks = kHooks,
    .schemas = kSchemas,
    .needs = facts_of<Lost>,
    .settings = config::section<Config>,
    .start = start,
    .wishes = wishes,
    .views = kViews,
};

}  // namespace tapio::dns
