// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

#include "base/clock.hpp"
#include "base/result.hpp"

namespace tapio::replay {

// What a recording says of itself; its first frame.
struct Header {
  std::string version;               // of the tapio that recorded
  std::string kernel, machine;       // as uname(2) says: "6.12.9", "x86_64"
  std::string boot;                  // head of the boot id, see text(ProcessId)
  std::uint32_t run = 0;             // of record ids
  std::chrono::nanoseconds began{};  // since the epoch
  std::string configuration;         // YAML: what the repeatable part is configured by; no secrets
};

[[nodiscard]] std::string packed(const Header& header);
// Bounded and checked: version, kernel and machine are printable, the boot is 8 digits or none.
[[nodiscard]] Result<Header> header_of(std::string_view frame);

}  // namespace tapio::replay
