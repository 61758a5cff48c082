// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <bit>
#include <chrono>
#include <cstdint>
#include <tuple>
#include <vector>

#include "base/result.hpp"
#include "base/settings.hpp"
#include "dns.abi.h"

namespace tapio::dns {

struct Config {
  bool enabled = false;
  std::vector<std::uint32_t> ports{53};
  bool served = true;
  std::chrono::milliseconds timeout{5000};
  std::chrono::milliseconds slow{500};
  std::uint32_t rate_per_second = 1000;
  std::uint32_t keep_one_in = 10;
  std::uint32_t packets_per_second = 50'000;
  ByteSize ring{256 << 10};
  std::uint32_t detect_silent_queries = 3;
  std::uint32_t detect_failing_answers = 5;
  std::uint32_t detect_slow_answers = 5;
  std::uint32_t detect_retries = 10;

  // What a range cannot say of single settings.
  [[nodiscard]] Status check() const {
    const auto is_port = [](std::uint32_t port) { return port > 0 && port <= 0xffff; };
    if (ports.empty() || ports.size() > TAPIO_DNS_PORTS)
      return invalid("ports: give one to eight of them, like [53]");
    if (!std::ranges::all_of(ports, is_port))
      return invalid("ports: each is a number from 1 to 65535");
    if (!std::has_single_bit(ring.bytes)) return invalid("ring: give a power of two, like 256KiB");
    return {};
  }

  static constexpr auto settings() {
    using std::chrono::milliseconds;
    return std::tuple{
        Setting{"enabled", &Config::enabled,
                "Watch DNS queries and their answers. Every packet of the machine pays for it."},
        Setting{"ports", &Config::ports, "UDP ports of name servers; eight at most."},
        Setting{"served", &Config::served,
                "Also report what name servers on this node are asked by others."},
        Setting{"timeout", &Config::timeout, "A query without an answer for so long is unanswered.",
                milliseconds(100), milliseconds(60'000)}
            .on_reload(),
        Setting{"slow", &Config::slow, "An answer that takes longer than this is slow.",
                milliseconds(1), milliseconds(60'000)}
            .on_reload(),
        Setting{"rate_per_second", &Config::rate_per_second,
                "Records of ordinary lookups per second. Failures and slow ones come on top. 0: no "
                "limit.",
                0u, 10'000'000u}
            .on_reload(),
        Setting{"keep_one_in", &Config::keep_one_in,
                "Of the ordinary lookups beyond that rate, keep one in so many. 0: none.", 0u,
                1'000'000u}
            .on_reload(),
        Setting{"packets_per_second", &Config::packets_per_second,
                "Limited in the kernel, each for itself: ordinary answers, and all the rest. What "
                "is beyond cannot be paired. 0: no limit.",
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
                "So many slow answers of one name server within a minute, and no fewer others.", 2u,
                1'000u}
            .on_reload(),
        Setting{"detect.retries", &Config::detect_retries,
                "So many queries of one process that repeat an earlier one within a minute.", 2u,
                1'000u}
            .on_reload(),
    };
  }
};

}  // namespace tapio::dns
