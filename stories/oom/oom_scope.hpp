// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "oom_victims.hpp"

namespace tapio::oom {

inline constexpr std::string_view kStructs = "kernel structs at the kill";
inline constexpr std::string_view kLog = "kernel log";

struct Figures {
  std::uint64_t usage = 0, limit = kNoLimit;
  std::string_view source;
};

// What ran out of memory.
struct Scope {
  enum class Kind : std::uint8_t { unknown, cgroup, node, nodes_allowed } kind = Kind::unknown;
  std::string_view source;  // of the kind
  bool concluded = false;   // from usage and limits; nothing says so
  double confidence = 0;
  // Of the cgroup whose limit was hit.
  std::string path;       // "": not known
  std::string container;  // whose it is, in words; "": none's
  std::uint64_t cgroup_id = 0;
  std::optional<Figures> memory, swap;
  bool with_memory = false;   // v1: swap's are of memory and swap together
  bool swap_is_full = false;  // and then it is that limit which was hit
  std::optional<bool> own;    // the victim's own cgroup's, not that of one above

  // "container web (4f797c539e6c)", "cgroup /x", "the node".
  [[nodiscard]] std::string name() const;
};

[[nodiscard]] Scope scope_of(const Victim& victim, const World& world);

}  // namespace tapio::oom
