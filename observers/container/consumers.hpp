// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/fd.hpp"
#include "base/pack.hpp"

namespace tapio::container {

struct Consumer {
  std::uint32_t pid = 0;
  std::uint64_t rss = 0;  // bytes
  std::string name;       // comm
};

// The processes of a cgroup and of those below it that have most memory resident, as /proc says
// now.
struct Consumers {
  static constexpr std::size_t kMost = 5;            // that are named
  static constexpr std::size_t kMaxProcesses = 128;  // that are looked at; the rest is not
  static constexpr std::size_t kMaxDirectories = 32;
  static constexpr std::size_t kMaxText = 16 << 10;  // of cgroup.procs
  static constexpr std::size_t kMaxName = 64;

  std::vector<Consumer> largest;  // first
  std::uint64_t seen = 0;

  void pack(Packer& pack) const;
  void unpack(Unpacker& unpack);
};

// The numbers in the lines of cgroup.procs, kMaxProcesses of them at most.
[[nodiscard]] std::vector<std::uint32_t> parse_pids(std::string_view text);
[[nodiscard]] Consumers consumers_of(const Fd& cgroup, const std::string& proc = "/proc");

}  // namespace tapio::container
