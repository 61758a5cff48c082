// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <bit>
#include <chrono>
#include <cstdint>
#include <string>
#include <tuple>
#include <vector>

#include "base/result.hpp"
#include "base/settings.hpp"
#include "dns.abi.h"
#include "dns_resolvers.hpp"

namespace tapio::dns {

struct Config {
  bool enabled = false;
  std::vector<std::uint32_t> ports{53};
  std::vector<std::string> interfaces;
  std::vector<std::uint32_t> encrypted_ports{443, 853};
  std::vector<std::string> encrypted_resolvers;
  bool served = true;
  bool library = false;
  bool latency = true;
  std::chrono::milliseconds timeout{5000};
  std::chrono::milliseconds slow{500};
  std::uint32_t rate_per_second = 1000;
  std::uint32_t keep_one_in = 10;
  std::uint32_t packets_per_second = 2'500;
  ByteSize ring{1 << 20};
  std::uint32_t detect_silent_queries = 3;
  std::uint32_t detect_failing_answers = 5;
  std::uint32_t detect_slow_answers = 5;
  std::uint32_t detect_retries = 10;
  std::uint32_t detect_search_names = 2;
  std::uint32_t detect_search_lookups = 10;
  std::uint32_t detect_truncated_answers = 10;
  std::uint32_t detect_truncated_abandoned = 3;
  std::uint32_t detect_strays = 3;
  std::chrono::milliseconds health_interval{10'000};

  // What a range cannot say of single settings.
  [[nodiscard]] Status check() const {
    const auto is_port = [](std::uint32_t port) { return port > 0 && port <= 0xffff; };
    if (ports.empty() || ports.size() > TAPIO_DNS_PORTS)
      return invalid("ports: give one to eight of them, like [53]");
    if (!std::ranges::all_of(ports, is_port))
      return invalid("ports: each is a number from 1 to 65535");
    const auto is_interface = [](const std::string& name) {
      return !name.empty() && name.size() < TAPIO_DNS_INTERFACE_BYTES;
    };
    if (interfaces.size() > TAPIO_DNS_INTERFACES)
      return invalid("interfaces: give eight of them at most, like [eth0]");
    if (!std::ranges::all_of(interfaces, is_interface))
      return invalid("interfaces: each is a name of 1 to 15 characters");
    if (encrypted_ports.size() > TAPIO_DNS_ENCRYPTED_PORTS)
      return invalid("encrypted.ports: give eight of them at most, like [443, 853]");
    if (!std::ranges::all_of(encrypted_ports, is_port))
      return invalid("encrypted.ports: each is a number from 1 to 65535");
    if (encrypted_resolvers.size() > Resolvers::kMaxOwn)
      return invalid("encrypted.resolvers: give 64 of them at most, like [dns.example.com]");
    if (!std::ranges::all_of(encrypted_resolvers, Resolvers::is_valid))
      return invalid("encrypted.resolvers: each is the name of a host, or an address");
    if (!std::has_single_bit(ring.bytes)) return invalid("ring: give a power of two, like 256KiB");
    return {};
  }

  static constexpr auto settings() {
    using std::chrono::milliseconds;
    return std::tuple{
        Setting{"enabled", &Config::enabled,
                "Watch DNS queries and their answers. Every packet of the machine pays for it."},
        Setting{"ports", &Config::ports, "UDP and TCP ports of name servers; eight at most."},
        Setting{"interfaces", &Config::interfaces,
                "Only what passes these network interfaces, eight at most; none: all of them."},
        Setting{
            "encrypted.ports", &Config::encrypted_ports,
            "TCP and UDP ports on which connections may carry encrypted DNS; eight at most, none "
            "switches it off."},
        Setting{
            "encrypted.resolvers", &Config::encrypted_resolvers,
            "Names and addresses of your own servers of DNS over HTTPS, 64 at most; public ones "
            "are known."}
            .on_reload(),
        Setting{"served", &Config::served,
                "Also report what name servers on this node are asked by others."},
        Setting{"library", &Config::library,
                "Also report how long getaddrinfo() of this node's C library takes. Every process "
                "that calls it pays for it."},
        Setting{"latency", &Config::latency,
                "Also count in the kernel how long answers over UDP take, by name server and "
                "cgroup."},
        Setting{"timeout", &Config::timeout, "A query without an answer for so long is unanswered.",
                milliseconds(100), milliseconds(60'000)}
            .on_reload(),
        Setting{"slow", &Config::slow, "An answer that takes longer than this is slow.",
                milliseconds(1), milliseconds(60'000)}
            .on_reload(),
        Setting{
            "rate_per_second", &Config::rate_per_second,
            "Records of ordinary and unknown lookups per second. Failures and slow ones come on "
            "top. 0: no limit.",
            0u, 10'000'000u}
            .on_reload(),
        Setting{"keep_one_in", &Config::keep_one_in,
                "Of the ordinary lookups beyond that rate, keep one in so many. 0: none.", 0u,
                1'000'000u}
            .on_reload(),
        Setting{
            "packets_per_second", &Config::packets_per_second,
            "Limited in the kernel: lookups over UDP that begin, with all that follows of them, "
            "and all other messages. 0: no limit.",
            0u, 10'000'000u}
            .on_reload(),
        Setting{"ring", &Config::ring, "Size of the event buffer: a power of two.",
                ByteSize{4 << 10}, ByteSize{64 << 20}},
        Setting{"detect.silent.queries", &Config::detect_silent_queries,
                "So many unanswered queries in a row make a silent name server.", 2u, 1'000u}
            .on_reload(),
        Setting{"detect.failing.answers", &Config::detect_failing_answers,
                "So many failures of one name for one process within a minute.", 2u, 1'000u}
            .on_reload(),
        Setting{"detect.slow.answers", &Config::detect_slow_answers,
                "So many slow answers within a minute: of a name server, and no fewer than the "
                "others; or for one name or zone, while others are quick.",
                2u, 100u}
            .on_reload(),
        Setting{"detect.retries", &Config::detect_retries,
                "So many queries of one process that repeat an earlier one within a minute.", 2u,
                1'000u}
            .on_reload(),
        Setting{"detect.search.names", &Config::detect_search_names,
                "So many names that do not exist before one that does make a search dear.", 1u, 16u}
            .on_reload(),
        Setting{"detect.search.lookups", &Config::detect_search_lookups,
                "So many such searches of one process within a minute.", 2u, 1'000u}
            .on_reload(),
        Setting{"detect.truncated.answers", &Config::detect_truncated_answers,
                "So many truncated answers of one name server for one name within a minute.", 2u,
                1'000u}
            .on_reload(),
        Setting{"detect.truncated.abandoned", &Config::detect_truncated_abandoned,
                "So many truncated answers of one name server within a minute after which nobody "
                "asked again.",
                2u, 1'000u}
            .on_reload(),
        Setting{"detect.strays", &Config::detect_strays,
                "So many answers from one address within a minute that another one was asked for.",
                2u, 1'000u}
            .on_reload(),
        Setting{"health_interval", &Config::health_interval,
                "How often records say how each name server did, and how long its answers took; "
                "only those that were asked.",
                milliseconds(1'000), milliseconds(3'600'000)}
            .on_reload(),
    };
  }
};

}  // namespace tapio::dns
