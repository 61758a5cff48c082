// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <dirent.h>

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/bucket.hpp"
#include "base/fd.hpp"
#include "base/result.hpp"
#include "capture/kernel.hpp"

// What the cgroup file system tells of control groups that were there before the agent, or whose
// events were lost. Names in it are any bytes that a stranger chose, but '/', NUL and newline.
namespace tapio::cgroupfs {

// The root of a hierarchy has id 1. When what is mounted begins below it, because the agent sees
// from inside a container, the head of all paths is not known: they begin with this.
inline constexpr std::string_view kUnseenHead = "…";

// Of /proc/PID/cgroup (cgroups(7)): the line of one hierarchy, "v2", "v1 memory" and so on as
// capture::Hierarchy names it; "" when there is none.
[[nodiscard]] std::string_view path_in(std::string_view proc_cgroup, std::string_view hierarchy);

// Walks over all directories of a hierarchy, a little at a time.
class Walker {
 public:
  static constexpr std::size_t kMaxDirectories = 100'000;  // the rest is not looked at
  static constexpr std::size_t kMaxDepth = 64;             // nor is what lies deeper

  // `path` lives until the call returns; `time` was before the directory was looked at.
  using Found = std::function<void(std::uint64_t id, std::string_view path, MonotonicTime time)>;

  static Result<Walker> open(const std::string& mount);

  // Goes on for about `budget`, at least one directory; true when there are no more.
  [[nodiscard]] bool step(std::chrono::nanoseconds budget, const Found& found);
  // Of a finished walk: nothing was left out.
  [[nodiscard]] bool complete() const { return complete_; }
  [[nodiscard]] std::size_t seen() const { return seen_; }

 private:
  struct Level {
    std::unique_ptr<DIR, Freed<::closedir>> list;
    std::size_t path_bytes;  // of `path_`, up to this directory
  };
  Walker() = default;
  Status enter(int parent, const char* name, const Found& found);
  void visit_next(const Found& found);

  std::string path_;
  std::vector<Level> levels_;
  std::size_t seen_ = 0;
  bool complete_ = true;
};

// Finds the path of a single cgroup by a process that is in it.
class Resolver {
 public:
  static constexpr std::uint32_t kMaxPerSecond = 100;
  static constexpr std::size_t kMaxText = 64
                                          << 10;  // of /proc/PID/cgroup: a line for each hierarchy

  explicit Resolver(capture::Hierarchy hierarchy, std::string proc = "/proc")
      : hierarchy_(std::move(hierarchy)), proc_(std::move(proc)) {}

  // Faults: `unavailable`: the process is gone, or in another cgroup by now; `exhausted`: asked too
  // often. A path is returned only if the directory there has this id.
  [[nodiscard]] Result<std::string> path_of(std::uint64_t id, std::uint32_t pid, MonotonicTime now);

 private:
  capture::Hierarchy hierarchy_;
  std::string proc_;
  Bucket rate_{kMaxPerSecond};
};

}  // namespace tapio::cgroupfs
