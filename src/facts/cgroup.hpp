// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
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

// How long tasks waited for want of something (PSI, Documentation/accounting/psi.rst).
struct Pressure {
  // Percent of the last 10 s in which some, or all that had work, waited.
  double some = 0, full = 0;
  // Since the boot, or since the cgroup was made.
  std::chrono::nanoseconds some_total{}, full_total{};
};

// How often the CPU was taken away because of cpu.max, since the cgroup was made (cpu.stat).
struct CpuThrottling {
  std::uint64_t periods = 0;  // in which somebody wanted to run
  std::uint64_t throttled = 0;
  std::chrono::nanoseconds time{};
};

// One reading of a cgroup with a limit of memory or CPU of its own, about once a second. What is
// optional is read less often while all is calm, and missing where the kernel has no such file.
struct CgroupMemory {
  MonotonicTime time{};
  std::uint64_t cgroup_id = 0;
  std::uint64_t usage = 0;                          // bytes, as memory.current
  std::uint64_t max = kNoLimit;                     // bytes, as memory.max
  std::optional<std::uint64_t> inactive_file{};     // bytes of page cache that go first
  std::optional<std::uint64_t> reclaimable{};       // bytes: all page cache, and slab that can go
  std::optional<std::uint64_t> swap{}, swap_max{};  // bytes of swap alone, also on v1
  std::optional<std::uint64_t> scanned{};           // pages that reclaim has looked at; v2
  // How often so far: slowed down above memory.high, came to the limit, had nothing to give back
  // there, had a process killed. v1 has the second and the last.
  std::optional<std::uint64_t> high{}, hits{}, oom{}, oom_kills{};
  std::optional<Pressure> pressure{};  // of memory; v2
  std::optional<CpuThrottling> cpu{};
  RecordId evidence{};  // of a record that shows it; none: most have none
};

// Who used most of a cgroup that had come near its limit, with the cgroups below it, as /proc had
// it.
struct CgroupConsumers {
  static constexpr std::size_t kMaxTasks = 5;
  struct Task {
    std::uint32_t pid = 0;
    std::uint64_t rss = 0;  // bytes
    std::string_view name;  // comm
  };

  MonotonicTime time{};
  std::uint64_t cgroup_id = 0;
  std::span<const Task> tasks;  // by rss, largest first
  std::uint64_t seen = 0;       // processes that were looked at, more than `tasks` when cut
};

// The node as a whole, once a second. Pressure is missing where the kernel has no PSI.
struct NodePressure {
  MonotonicTime time{};
  std::optional<Pressure> memory{}, cpu{}, io{};
  // Bytes, as /proc/meminfo has them; 0: not known, or none.
  std::uint64_t memory_total = 0, memory_available = 0, swap_total = 0, swap_free = 0;
};

}  // namespace tapio
