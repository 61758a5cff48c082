// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "facts/oom.hpp"

// The kernel's report about an OOM kill (mm/oom_kill.c, mm/memcontrol.c), line by line.
namespace tapio::kmsg {

struct Task {
  std::uint64_t pid = 0, uid = 0;
  std::uint64_t total_vm = 0, rss = 0, page_tables = 0, swap = 0;  // bytes
  std::int32_t score_adj = 0;
  std::string name;
};

struct MemoryUse {
  std::uint64_t usage = 0, limit = kNoLimit;  // bytes
  std::uint64_t failures = 0;
};

// What the lines before the one that names the victim say.
struct Circumstances {
  std::string invoker;
  std::uint32_t invoker_pid = 0;
  std::optional<MemoryUse> memory, swap;
  bool swap_with_memory = false;
  std::string constraint;
  std::string oom_memcg, task_memcg;
  std::vector<Task> tasks;  // by rss, largest first
  std::uint64_t tasks_seen = 0;
  std::uint32_t chosen_pid = 0;
  std::string group;
};

struct Victim {
  bool in_cgroup = false;
  std::uint32_t pid = 0, uid = 0;
  std::string name;
  std::uint64_t total_vm = 0, anon_rss = 0, file_rss = 0, shmem_rss = 0;  // bytes
  std::int32_t score_adj = 0;
};

struct Report {
  Victim victim;
  Circumstances around;  // empty where they are not logged, or it is not clear whose they are
};

// Puts reports together. Names of processes and cgroups are anybody's choice: what is between them
// is found by what else the kernel says, and left out where that is not enough.
class OomLog {
 public:
  static constexpr std::size_t kMaxName = 15;       // bytes of a comm; longer is no report
  static constexpr std::size_t kMaxRows = 32768;    // of a table; those beyond are only counted
  static constexpr std::size_t kMaxVictims = 1024;  // of one report; later ones go without it
  static constexpr std::size_t kMaxColumns = 16;    // of a table; with more it is not read
  static constexpr std::size_t kMaxKillLines = 8;   // of reports at once; beyond: not read
  static constexpr std::size_t kMaxReadings = 64;  // of where a path may end; beyond: none is taken
  static constexpr std::uint64_t kGroupLasts = 10'000'000;  // microseconds; see follows()

  explicit OomLog(std::uint64_t page_bytes) : page_bytes_(page_bytes) {}

  // The text of a record of the kernel's own. A report when it names a victim, each victim once.
  [[nodiscard]] std::optional<Report> feed(std::string_view text, std::uint64_t microseconds);
  // Of the text of a record: false when feed() has no use for what it says.
  [[nodiscard]] static bool may_concern(std::string_view text);
  // Lines were lost: what is half known is not completed by what comes.
  void forget() { open_.reset(); }

 private:
  // A report from its first line on.
  struct Open {
    Circumstances around;
    std::string stats_of;                 // the cgroup whose statistics are logged: of the limit
    std::vector<std::string> kill_lines;  // "oom-kill:...", read when the victim's name is known
    std::vector<std::string> columns;
    std::map<std::uint64_t, std::uint64_t> processes;  // of the table: thread id to process id
    std::vector<std::uint32_t> killed;                 // as the lines have them
    std::uint64_t killed_at = 0;                       // microseconds
    bool in_head = true;                               // no line has come since the first
    bool mixed = false;  // two reports at once: only lines that name the victim can be told apart
  };

  void begin(std::string invoker);
  void read_detail(std::string_view text);
  void read_processor(std::string_view text);
  bool read_memory(std::string_view text);
  void read_header(std::string_view text);
  void read_row(std::string_view text);
  void set(Task& task, std::string_view column, std::int64_t value) const;
  void keep(Task task);
  [[nodiscard]] std::optional<Report> on_victim(Victim victim, std::uint64_t microseconds);
  // Whether the open report is about it: it is the one that was chosen...
  [[nodiscard]] bool is_chosen(const Victim& victim);
  // ...or is killed because memory.oom.group is set. A kill whose own report was left out (the
  // kernel limits their rate) may come at any time, so it must be in the table, and come soon.
  [[nodiscard]] bool follows(const Victim& victim, std::uint64_t microseconds) const;
  [[nodiscard]] bool listed(const Victim& victim) const;
  void read_kill_line(std::string_view head, const Victim& victim);

  std::uint64_t page_bytes_;
  std::optional<Open> open_;
};

}  // namespace tapio::kmsg
