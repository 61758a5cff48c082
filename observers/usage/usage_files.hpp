// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/fd.hpp"
#include "base/outside.hpp"
#include "base/result.hpp"

namespace tapio::usage {

// What /proc/PID/stat says of one process.
struct Reading {
  std::uint32_t pid = 0;
  std::uint64_t start_ticks = 0;
  std::uint64_t cpu_ticks = 0;
  std::uint64_t resident_pages = 0;
  std::string name;
};

// The processes of /proc, asked for by way of `outside`. What comes beyond kMaxProcesses is not
// seen.
class Files {
 public:
  static constexpr std::size_t kMaxProcesses = 32'768;
  static constexpr std::size_t kMaxName = 64;  // kernel threads have names of more than 15 bytes

  // `directory` is /proc; -1: in a replay, where nothing is read.
  Files(Fd directory, Outside& outside) : directory_(std::move(directory)), outside_(&outside) {}

  [[nodiscard]] std::vector<std::uint32_t> processes();
  // Of those that are still there.
  [[nodiscard]] std::vector<Reading> read(std::span<const std::uint32_t> pids);

 private:
  [[nodiscard]] std::string list() const;
  [[nodiscard]] std::string read_all(std::span<const std::uint32_t> pids) const;
  [[nodiscard]] std::optional<Reading> read_one(std::uint32_t pid) const;

  Fd directory_;
  Outside* outside_;
};

}  // namespace tapio::usage
