// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/pack.hpp"
#include "facts/cgroup.hpp"

// The numbers that the files of a control group hold.
namespace tapio::container {

// PAGE_COUNTER_MAX in bytes, with the largest pages that there are: no limit on v1.
inline constexpr std::uint64_t kMostOfV1 = 0x7fff'ffff'ffff'0000;

enum class Figure : std::uint8_t {
  memory_max,
  memory_usage,
  cpu_max,
  pids_max,
  swap,           // bytes
  swap_max,       // of swap alone, also on v1
  inactive_file,  // page cache that goes first, bytes
  reclaimable,    // all page cache and slab that can be given back, bytes
  scanned,        // pages that reclaim has looked at (pgscan); v2
  high,           // memory.events; v2
  max,            // v1: memory.failcnt and memory.memsw.failcnt
  oom,            // v2
  oom_kill,
  some,  // of memory.pressure: hundredths of a percent of the last 10 s; v2
  full,
  some_total,  // microseconds
  full_total,
  periods,  // of cpu.stat: those in which somebody wanted to run
  throttled,
  throttled_ns,
};
inline constexpr std::size_t kFigures = 20;

// Each may be missing: no such file, no such controller, an older kernel.
class Figures {
 public:
  std::optional<std::uint64_t>& operator[](Figure figure) {
    return values_.at(static_cast<std::size_t>(figure));
  }
  const std::optional<std::uint64_t>& operator[](Figure figure) const {
    return values_.at(static_cast<std::size_t>(figure));
  }
  [[nodiscard]] std::uint64_t limit(Figure figure) const {
    return (*this)[figure].value_or(kNoLimit);
  }
  void pack(Packer& pack) const;
  void unpack(Unpacker& unpack);

 private:
  std::array<std::optional<std::uint64_t>, kFigures> values_{};
};

// "some avg10=42.31 avg60=1.00 avg300=0.10 total=1234567\nfull ...". The CPU's has had no line
// `full` before 5.13. Nothing for any other text.
[[nodiscard]] std::optional<Pressure> parse_pressure(std::string_view text);

// Each takes what it knows of a file's text, and leaves the rest as it was.
void take_pressure(std::string_view text, Figures& out);
void take_memory_events(std::string_view text, Figures& out);  // v2
void take_oom_control(std::string_view text, Figures& out);    // v1
void take_memory_stat_v2(std::string_view text, Figures& out);
// v1 has lines for the cgroup alone, and others, total_, with those below it: these are taken.
void take_memory_stat_v1(std::string_view text, Figures& out);
void take_cpu_stat(std::string_view text, Figures& out);

// The figures as others know them.
[[nodiscard]] CgroupMemory memory_of(const Figures& figures);

}  // namespace tapio::container
