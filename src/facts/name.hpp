// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <chrono>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "facts/process.hpp"

// Which addresses a process was told for the name that it asked for.
namespace tapio {

struct IpAddress {
  std::array<std::uint8_t, 16> bytes{};  // as on the wire; IPv4: the first four
  std::uint8_t version = 4;              // or 6
  auto operator<=>(const IpAddress&) const = default;
};

struct NameResolved {
  MonotonicTime time{};
  RecordId evidence{};
  ProcessId process;  // start_ticks 0: nothing but its pid is known
  std::uint64_t cgroup_id = 0;
  std::string_view name;                 // that was asked for: printable ASCII, odd bytes as \DDD
  std::span<const IpAddress> addresses;  // to which it leads, through CNAMEs too
  std::chrono::seconds ttl{};            // the least on the way
};

}  // namespace tapio
