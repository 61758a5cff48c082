// SPDX-License-Identifier: Apache-2.0
#include <cstdint>
#include <cstdlib>
#include <map>
#include <string>
#include <utility>

#include "enrich/resolved_names.hpp"

// Answers in any order, with any times to live, four bytes each. What is found is what was told
// last of that process and address, and is not older than it may be; the bound holds.
namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

using namespace std::chrono_literals;
using tapio::MonotonicTime;

struct Told {
  std::string name;
  MonotonicTime time{};
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr tapio::ResolvedNameLimits kLimits{.entries = 8};
  tapio::ResolvedNames names(kLimits);
  std::map<std::pair<std::uint8_t, std::uint8_t>, Told> told;
  MonotonicTime now = 1h;
  for (; size >= 4; data += 4, size -= 4) {
    const std::uint8_t who = data[0] % 4, last = data[1] % 8;
    const tapio::IpAddress address{.bytes = {192, 0, 2, last}};
    const tapio::ProcessId process{who, who};  // pid 0: none
    now += std::chrono::seconds(data[2]);
    if (data[0] & 0x80) {
      names.expire(now);
    } else {
      Told& latest = told[{who, last}] = {.name = std::to_string(data[3]), .time = now};
      names.set({.time = now,
                 .process = process,
                 .name = latest.name,
                 .addresses = std::span(&address, 1),
                 .ttl = std::chrono::seconds(data[3] * 20)});
    }
    require(names.stats().kept <= kLimits.entries);
    const auto found = names.get(address, process, 0, now);
    if (!found) continue;
    const Told& latest = told.at({who, last});
    require(who != 0 && found->name == latest.name && found->answered == latest.time);
    require(now < latest.time + kLimits.most_ttl);
  }
  return 0;
}
