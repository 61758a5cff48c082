// SPDX-License-Identifier: Apache-2.0
#include <cstring>

#include "capture/entries.hpp"
#include "dns.abi.h"
#include "dns.skel.h"
#include "dns_dynptr.skel.h"
#include "dns_hooks.hpp"
#include "dns_observer.hpp"
#include "dns_schemas.hpp"

namespace tapio::dns {

namespace {

// As they are called in dns_latency.bpf.h.
constexpr const char *kAskedMap = "asked", *kLatencyMap = "latency",
                     *kLatencyOfOthers = "latency_other";

capture::Wishes wishes(const config::Section& settings) {
  const auto& config = settings.as<Config>();
  capture::Wishes wishes{.ring_bytes = config.ring.bytes};
  wishes.rate_per_second[TAPIO_NORMAL] = config.packets_per_second;
  wishes.rate_per_second[TAPIO_BULK] = config.packets_per_second;
  if (config.library) wishes.granted.insert(kLibrary);
  if (!config.latency) wishes.entries = {{kAskedMap, 1}, {kLatencyMap, 1}};
  return wishes;
}

template <typename Skeleton>
Status load(const Start& start, const Config& config) {
  return start.programs.load<Skeleton>(kHooks, wishes(start.settings), [&](Skeleton& s) {
    for (std::size_t i = 0; i < config.ports.size(); ++i)
      s.rodata->ports[i] = static_cast<std::uint16_t>(config.ports[i]);
    s.rodata->served = config.served;
    const std::chrono::nanoseconds waits = config.timeout + Exchanges::kGrace;
    s.rodata->latency_within = config.latency ? static_cast<std::uint64_t>(waits.count()) : 0;
    for (std::size_t i = 0; i < config.encrypted_ports.size(); ++i)
      s.rodata->encrypted_ports[i] = static_cast<std::uint16_t>(config.encrypted_ports[i]);
    s.rodata->connects = !start.programs.choices()[TAPIO_DNS_ON_TCP_SEND].program;
    for (std::size_t i = 0; i < config.interfaces.size(); ++i)
      std::memcpy(s.rodata->interfaces[i], config.interfaces[i].data(),
                  config.interfaces[i].size());
  });
}

// A replay has no programs to look at.
TcpSight tcp_sight(const Start& start) {
  const auto seen = start.outside.attempt("dns: see TCP", [&]() -> Status {
    if (start.programs.program_of(TAPIO_DNS_ON_TCP_SEND) &&
        start.programs.program_of(TAPIO_DNS_ON_TCP_RECEIVE))
      return {};
    return fail(Fault::unsupported, "no program reads DNS over TCP");
  });
  return seen ? TcpSight::seen : TcpSight::unseen;
}

// In a replay the maps are not there, and nobody looks.
std::optional<Latencies> latencies(const Start& start, const Config& config) {
  if (!config.latency) return {};
  const auto read = [&programs = start.programs] {
    auto list = capture::entries<tapio_dns_latency_key, tapio_dns_latency>(
        programs.map(kLatencyMap), TAPIO_DNS_LATENCIES);
    for (const auto& [only, others] :
         capture::entries<std::uint32_t, tapio_dns_latency>(programs.map(kLatencyOfOthers), 1))
      list.emplace_back(tapio_dns_latency_key{}, others);
    return list;
  };
  const auto remove = [&programs = start.programs](const tapio_dns_latency_key& key) {
    capture::erase(programs.map(kLatencyMap), key);
  };
  return Latencies({.read = read, .remove = remove}, start.outside, config.health_interval);
}

Result<std::unique_ptr<Observer>> start(const Start& start) {
  const auto& config = start.settings.as<Config>();
  TRY(config.check());
  if (covers(start.programs.kernel().features, kWholePackets))
    TRY(load<dns_dynptr_bpf>(start, config));
  else
    TRY(load<dns_bpf>(start, config));
  return std::make_unique<DnsObserver>(config, tcp_sight(start), latencies(start, config));
}

}  // namespace

extern const Descriptor descriptor;
const Descriptor descriptor{
    .name = "dns",
    .id = TAPIO_DNS_DATAGRAM >> 8,
    .summary = "DNS: every query over UDP and TCP, its answer, and the ones without.",
    .hooks = kHooks,
    .schemas = kSchemas,
    .provides = facts_of<NameResolved>,
    .needs = facts_of<Lost>,
    .settings = config::section<Config>,
    .start = start,
    .wishes = wishes,
    .conceal = conceal,
    .views = kViews,
};

}  // namespace tapio::dns
