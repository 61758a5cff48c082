// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <limits>
#include <string_view>

#include "base/clock.hpp"
#include "facts/process.hpp"
#include "record/record.hpp"

// Control groups of the hierarchy that cgroup ids are from (capture::Hierarchy). An id is the
// kernfs id, which is the inode number of the directory.
namespace tapio {

inline constexpr std::uint64_t kNoLimit = std::numeric_limits<std::uint64_t>::max();

// Paths are absolute from the root of the hierarchy: "/system.slice/nginx.service". Any bytes but
// NUL, and up to PATH_MAX of them: whoever may make a directory chooses its name.
struct CgroupCreated {
  MonotonicTime time{};
  RecordId evidence{};  // none: found by walking the file system
  std::uint64_t cgroup_id = 0;
  std::string_view path;
};

struct CgroupRemoved {
  MonotonicTime time{};
  RecordId evidence{};
  std::uint64_t cgroup_id = 0;
  std::string_view path;
};

// A process went from one cgroup to another.
struct ProcessMoved {
  MonotonicTime time{};
  RecordId evidence{};
  ProcessId process;
  std::uint64_t from = 0;  // 0: not known
  std::uint64_t to = 0;
  ProcessId by;  // who wrote its id to cgroup.procs; itself, when it moved itself
};

// A limit was another one than when it was read before.
struct CgroupLimitChanged {
  MonotonicTime time{};   // when the new value was read
  MonotonicTime since{};  // when the old one was still there
  RecordId evidence{};
  std::uint64_t cgroup_id = 0;
  std::string_view limit;  // as v2 names its file, whatever the hierarchy: "memory.max", "cpu.max"
  std::uint64_t before = kNoLimit, after = kNoLimit;  // bytes; for cpu.max millicores; pids
};

// One reading of a cgroup with a memory limit of its own, about once a second.
struct CgroupMemory {
  MonotonicTime time{};
  std::uint64_t cgroup_id = 0;
  std::uint64_t usage = 0;       // bytes, as memory.current
  std::uint64_t max = kNoLimit;  // bytes, as memory.max
};

}  // namespace tapio
