// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <bit>
#include <span>
#include <string>
#include <tuple>

#include "base/config.hpp"
#include "base/log.hpp"
#include "base/settings.hpp"

namespace tapio::log {

std::span<const EnumName<Level>> enum_names(Level);
std::span<const EnumName<Format>> enum_names(Format);

}  // namespace tapio::log

namespace tapio::agent {

struct AgentConfig {
  std::string socket = "/run/tapio/tapio.sock";
  ByteSize critical_ring{512 << 10};
  std::uint32_t critical_share = 1000;
  std::uint32_t cpus_per_ring = 0;
  bool canary = true;
  bool cost = true;
  std::vector<std::uint32_t> cpus;

  [[nodiscard]] Status check() const {
    if (!std::has_single_bit(critical_ring.bytes))
      return invalid("critical_ring: give a power of two, like 512KiB");
    if (cpus_per_ring && !std::has_single_bit(cpus_per_ring))
      return invalid("cpus_per_ring: give a power of two, or 0");
    return {};
  }

  static constexpr auto settings() {
    return std::tuple{
        Setting{"socket", &AgentConfig::socket,
                "Where the other commands reach the agent; the environment's TAPIO_SOCKET wins."},
        Setting{"critical_ring", &AgentConfig::critical_ring,
                "Size of the buffer that all observers share for critical events: a power of two.",
                ByteSize{4 << 10}, ByteSize{64 << 20}},
        Setting{"critical_share", &AgentConfig::critical_share,
                "Critical events of one cgroup and second that are reported one by one; more are "
                "counted.",
                1u, 1'000'000u},
        Setting{"cpus_per_ring", &AgentConfig::cpus_per_ring,
                "How many CPUs write to one ring buffer of an observer, a power of two; 0: 16, or "
                "more where that makes more than 8 rings. Its size is divided among them.",
                0u, 1024u},
        Setting{"canary", &AgentConfig::canary,
                "Prove at the start that every hook fires, with a process made for it."},
        Setting{"cost", &AgentConfig::cost,
                "Measure what programs and observers cost, one second in ten: the kernel counts "
                "the time of all programs of the node then, at some 50 ns a run."},
        Setting{"cpus", &AgentConfig::cpus,
                "CPUs that the agent may run on, like [0, 1]; none: all. Work that has others for "
                "itself is then not interrupted by it. Its programs run where their events are."},
    };
  }
};

struct BtfConfig {
  std::string path;

  static constexpr auto settings() {
    return std::tuple{
        Setting{"path", &BtfConfig::path,
                "A file with the BTF of exactly the kernel that runs, raw or in a vmlinux with "
                "debug information. Used only where the kernel shows none of its own."},
    };
  }
};

struct LogConfig {
  log::Level level = log::Level::info;
  log::Format format = log::Format::text;

  static constexpr auto settings() {
    return std::tuple{
        Setting{"level", &LogConfig::level, "The least that is logged."}.on_reload(),
        Setting{"format", &LogConfig::format, "Lines for people, or JSON for machines."}
            .on_reload(),
    };
  }
};

// Every section that this program knows: agent, btf, http, log, redact, observers.*, sinks.*; with
// defaults.
[[nodiscard]] config::Tree configuration();

void configure_log(const config::Tree& configuration);

// The `enabled` setting that every observer and sink has.
[[nodiscard]] bool is_enabled(const config::Section& section);

}  // namespace tapio::agent
