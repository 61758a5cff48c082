// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/fd.hpp"
#include "base/result.hpp"
#include "capture/kernel.hpp"
#include "cgroup_figures.hpp"
#include "facts/cgroup.hpp"

// The files of a control group that say how much it has and may have.
namespace tapio::container {

enum class Limit : std::uint8_t { memory, cpu, pids };
inline constexpr std::size_t kLimits = 3;
[[nodiscard]] std::string_view name(Limit limit);  // as v2 calls the file: "memory.max"

// "max", or a number; kNoLimit for "max" and for v1's most, which is a page below 2^63. Nothing for
// any other text.
[[nodiscard]] std::optional<std::uint64_t> parse_limit(std::string_view text);
// "max 100000", "150000 100000": microseconds of each period; in thousandths of a CPU.
[[nodiscard]] std::optional<std::uint64_t> parse_cpu_max(std::string_view text);

// Reads below the mount of one hierarchy. In v1 each controller has a hierarchy of its own, and a
// directory of the same path in another one may hold other processes: only the files of this one
// are read.
class CgroupFiles {
 public:
  static constexpr std::size_t kMaxText = 64;        // two numbers of 20 digits
  static constexpr std::size_t kMaxStat = 16 << 10;  // of memory.stat, which has 2 to 4 KiB

  static Result<CgroupFiles> open(const capture::Hierarchy& hierarchy);

  // The directory, if it still is this cgroup's.
  [[nodiscard]] Result<Fd> directory(std::string_view path, std::uint64_t id) const;
  // Nothing when there is no such file, as in the root or without the controller.
  [[nodiscard]] std::optional<std::uint64_t> limit(const Fd& directory, Limit limit) const;
  [[nodiscard]] std::optional<std::uint64_t> memory_usage(const Fd& directory) const;
  // All else that there is of memory, and whether the CPU was taken away.
  void details(const Fd& directory, Figures& out) const;

 private:
  CgroupFiles(Fd root, bool v2) : root_(std::move(root)), v2_(v2) {}

  Fd root_;
  bool v2_;
};

}  // namespace tapio::container
