// SPDX-License-Identifier: Apache-2.0
#include <cstring>
#include <random>

#include "capture/entries.hpp"
#include "dns.abi.h"
#include "dns.skel.h"
#include "dns_dynptr.skel.h"
#include "dns_hooks.hpp"
#include "dns_observer.hpp"
#include "dns_schemas.hpp"

namespace tapio::dns {

namespace {

// As programs call them.
constexpr const char *kLatencyMap = "latency", *kLatencyOfOthers = "latency_other",
                     *kCrowdedMap = "crowded";

capture::Wishes wishes(const config::Section& settings) {
  const auto& config = settings.as<Config>();
  capture::Wishes wishes{.ring_bytes = config.ring.bytes};
  wishes.rate_per_second[TAPIO_NORMAL] = config.packets_per_second;
  wishes.rate_per_second[TAPIO_BULK] = config.packets_per_second;
  if (config.library) wishes.granted.insert(kLibrary);
  if (!config.latency) wishes.entries = {{kLatencyMap, 1}};
  return wishes;
}

std::uint64_t secret() {
  std::random_device random;
  return std::uint64_t{random()} << 32 | random();
}

template <typename Skeleton>
Status load(const Start& start, const Config& config) {
  return start.programs.load<Skeleton>(kHooks, wishes(start.settings), [&](Skeleton& s) {
    for (std::size_t i = 0; i < config.ports.size(); ++i)
      s.rodata->ports[i] = static_cast<std::uint16_t>(config.ports[i]);
    s.rodata->served = config.served;
    const std::chrono::nanoseconds waits = config.timeout + Exchanges::kGrace;
    s.rodata->waits_ns = static_cast<std::uint64_t>(waits.count());
    s.rodata->lookup_secret = secret();
    s.rodata->latency_counts = config.latency;
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

std::uint64_t crowded(const capture::Programs& programs) {
  const auto only = capture::entries<std::uint32_t, std::uint64_t>(programs.map(kCrowdedMap), 1);
  return only.empty() ? 0 : only[0].second;
}

Result<std::unique_ptr<Observer>> start(const Start& start) {
  const auto& config = start.settings.as<Config>();
  TRY(config.check());
  if (covers(start.programs.kernel().features, kWholePackets))
    TRY(load<dns_dynptr_bpf>(start, config));
  else
    TRY(load<dns_bpf>(start, config));
  return std::make_unique<DnsObserver>(config, tcp_sight(start), latencies(start, config),
                                       [&programs = start.programs] { return crowded(programs); });
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
