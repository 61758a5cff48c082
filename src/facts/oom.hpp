// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "facts/cgroup.hpp"
#include "facts/process.hpp"

// The kernel ran out of memory, in a cgroup or as a whole, and killed somebody.
namespace tapio {

// The page counters of one memory cgroup (include/linux/page_counter.h), in bytes.
struct MemoryLevel {
  std::uint64_t cgroup_id = 0;  // of the memory controller's hierarchy
  std::uint64_t usage = 0;
  std::uint64_t max = kNoLimit;
  // v2: swap alone; v1: memory and swap together (memory.memsw). Zero and kNoLimit without swap
  // accounting.
  std::uint64_t swap_usage = 0;
  std::uint64_t swap_max = kNoLimit;
};

// As the kernel's structures had it when it chose and killed its victim.
struct OomKilled {
  static constexpr std::size_t kMaxLevels = 8;  // the levels above are left out

  MonotonicTime time{};
  RecordId evidence{};
  ProcessId victim;
  std::string_view name;        // comm
  std::uint64_t cgroup_id = 0;  // of the victim, as of all facts
  ProcessId running;            // whose allocation the kernel could not serve
  std::string_view running_name;
  std::int32_t score_adj = 0;  // oom_score_adj
  // Resident memory of the victim in bytes, by kind (mm_struct.rss_stat).
  std::uint64_t anon_rss = 0, file_rss = 0, shmem_rss = 0, swap = 0;
  // The victim's memory cgroup first, then its ancestors; not the root, which the kernel does not
  // charge. Empty: it was in the root, or they could not be read.
  std::span<const MemoryLevel> levels;
};

// A row of the kernel's table of tasks (oom_dump_tasks).
struct OomTask {
  std::uint32_t pid = 0, uid = 0;
  std::uint64_t total_vm = 0, rss = 0, page_tables = 0, swap = 0;  // bytes
  std::int32_t score_adj = 0;
  std::string_view name;
};

// What the kernel logged about it (mm/oom_kill.c: dump_header, __oom_kill_process). The text is
// hostile: processes and cgroups choose their names.
struct OomReported {
  static constexpr std::size_t kMaxTasks = 64;  // those with the largest rss

  MonotonicTime time{};  // of the log line that names the victim
  RecordId evidence{};
  std::uint32_t victim_pid = 0;
  std::string_view victim_name;
  std::uint32_t victim_uid = 0;
  std::int32_t score_adj = 0;
  std::uint64_t total_vm = 0, anon_rss = 0, file_rss = 0, shmem_rss = 0;  // bytes
  std::string_view constraint;     // "CONSTRAINT_MEMCG", "CONSTRAINT_NONE", ...; "": not logged
  std::string_view oom_memcg;      // path of the cgroup whose limit was hit; "": none
  std::string_view task_memcg;     // path of the victim's memory cgroup
  std::string_view invoker;        // comm of whose allocation failed
  std::span<const OomTask> tasks;  // by rss, largest first
  std::uint64_t tasks_seen = 0;    // rows of the table, more than `tasks` when cut

  // The line itself says which: "Memory cgroup out of memory: ..." or "Out of memory: ...".
  bool in_cgroup = false;
  std::uint32_t invoker_pid = 0;  // 0: not logged
  // Whom the kernel chose by the score; others die with it (memory.oom.group). 0: not logged.
  std::uint32_t chosen_pid = 0;
  std::string_view group;  // path of the cgroup whose memory.oom.group says so; "": none
  // Of `oom_memcg`, in bytes, as its page counters were when the report was written. Nothing is
  // logged of the node as a whole.
  bool usage_logged = false;
  std::uint64_t usage = 0, limit = kNoLimit;
  std::uint64_t failures = 0;  // how often the limit was hit so far ("failcnt")
  bool swap_logged = false;
  bool swap_with_memory = false;  // v1: the next two are of memory and swap together
  std::uint64_t swap_usage = 0, swap_limit = kNoLimit;
};

}  // namespace tapio
