// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <tuple>
#include <vector>

#include "base/result.hpp"
#include "base/settings.hpp"
#include "bpf/abi.h"

namespace tapio::process {

struct Config {
  bool enabled = true;
  std::uint32_t rate_per_second = 200;
  std::uint32_t noise_rate_per_second = 50;
  std::uint32_t keep_one_in = 1;
  std::uint32_t lifecycle_rate_per_second = 100;
  bool deliveries = true;
  bool syscalls = false;
  std::vector<std::string> signals;
  ByteSize ring{256 << 10};
  std::string filter_uid;
  std::string filter_comm;
  std::uint64_t filter_cgroup = 0;
  bool filter_container_only = false;
  std::uint32_t detect_storm_signals = 100;
  std::uint32_t detect_storm_seconds = 2;
  std::uint32_t detect_crash_deaths = 3;
  std::uint32_t detect_crash_exits = 5;
  std::uint32_t detect_fork_bomb_processes = 64;
  std::uint32_t detect_fork_bomb_parents = 16;
  std::uint32_t detect_exec_failures = 10;

  // What a range cannot say of single settings.
  [[nodiscard]] Status check() const;
  // For the programs; of a configuration that check() accepts.
  [[nodiscard]] std::uint64_t signal_mask() const;  // bit n-1: signal n
  [[nodiscard]] tapio_filter filter() const;

  static constexpr auto settings() {
    return std::tuple{
        Setting{"enabled", &Config::enabled, "Watch processes and signals."},
        Setting{"rate_per_second", &Config::rate_per_second,
                "Signals per second on this node; deadly ones and noise come on top. 0: no limit.",
                0u, 10'000'000u}
            .on_reload(),
        Setting{"noise_rate_per_second", &Config::noise_rate_per_second,
                "Per second: deliveries, and SIGCHLD, SIGURG and SIGWINCH where `signals` asks for "
                "them. 0: no limit.",
                0u, 10'000'000u}
            .on_reload(),
        Setting{"keep_one_in", &Config::keep_one_in,
                "Of the signals that are not deadly, keep one in so many, at random.", 1u,
                1'000'000u}
            .on_reload(),
        Setting{"lifecycle_rate_per_second", &Config::lifecycle_rate_per_second,
                "Records of fork and exec per second, and as many again of exits and changes of "
                "credentials. Tables and stories see all of them. 0: no limit.",
                0u, 10'000'000u}
            .on_reload(),
        Setting{"deliveries", &Config::deliveries,
                "Also report when a thread takes a signal, and how it is set to react."},
        Setting{"syscalls", &Config::syscalls,
                "Where neither fentry nor kprobes work, see changed credentials, ptrace and failed "
                "execs as they happen by a program on the end of every system call. The whole "
                "machine pays for it: some 66 ns a call, which makes a loop of getppid(2) 50 to "
                "100 % slower. Without it changes are found at the next fork, exec or exit."},
        Setting{"signals", &Config::signals,
                "Only these signals, by name or number; all: every one; empty: all but SIGCHLD, "
                "SIGURG and SIGWINCH, of which healthy machines send thousands, and by which no "
                "program ends."},
        Setting{"ring", &Config::ring, "Size of the event buffer: a power of two.",
                ByteSize{4 << 10}, ByteSize{64 << 20}},
        Setting{"filter.uid", &Config::filter_uid,
                "Only processes of this effective user id, and signals from or to them."},
        Setting{"filter.comm", &Config::filter_comm,
                "Only processes with exactly this name (comm, at most 15 bytes)."},
        Setting{"filter.cgroup", &Config::filter_cgroup,
                "Only processes in the cgroup with this id (the inode of its directory). 0: all."},
        Setting{"filter.container_only", &Config::filter_container_only,
                "Only processes in a pid namespace below the initial one."},
        Setting{"detect.storm.signals", &Config::detect_storm_signals,
                "Signals a second from one process that make a storm.", 1u, 1'000'000u}
            .on_reload(),
        Setting{"detect.storm.seconds", &Config::detect_storm_seconds,
                "For so many seconds, one after the other.", 1u, 60u}
            .on_reload(),
        Setting{"detect.crash.deaths", &Config::detect_crash_deaths,
                "Crashes of a program within five minutes that make a loop.", 2u, 64u}
            .on_reload(),
        Setting{"detect.crash.exits", &Config::detect_crash_exits,
                "Exits of a service with an error within five minutes that make a loop.", 2u, 64u}
            .on_reload(),
        Setting{"detect.fork_bomb.processes", &Config::detect_fork_bomb_processes,
                "Living new processes of one program and one origin that make a fork bomb.", 16u,
                100'000u}
            .on_reload(),
        Setting{"detect.fork_bomb.parents", &Config::detect_fork_bomb_parents,
                "So many of them have forked twice or more themselves.", 4u, 10'000u}
            .on_reload(),
        Setting{"detect.exec.failures", &Config::detect_exec_failures,
                "Failures to start one program within a minute that make a loop.", 2u, 1'000u}
            .on_reload(),
    };
  }
};

}  // namespace tapio::process
