// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <dirent.h>

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/fd.hpp"
#include "base/result.hpp"
#include "decode/proc_stat.hpp"
#include "enrich/processes.hpp"
#include "facts/facts.hpp"

// What /proc tells of processes that were there before the agent (proc(5)). Names and arguments in
// it are any bytes that a stranger chose.
namespace tapio::proc {

struct IdentityLines {
  Credentials credentials;
  std::uint32_t virtual_pid = 0;  // in its innermost pid namespace; 0: not told
};
// Of /proc/PID/status.
Result<IdentityLines> parse_status(std::string_view text);

// "pid:[4026531836]", what /proc/PID/ns/pid links to; 0 for anything else.
[[nodiscard]] std::uint64_t parse_namespace(std::string_view link);

inline constexpr std::size_t kMaxArgs = 1024;
// Of /proc/PID/cmdline: each argument ends with a NUL, the last one perhaps not. Arguments beyond
// kMaxArgs are left out.
[[nodiscard]] std::vector<std::string_view> split_cmdline(std::string_view text);

struct Snapshot {
  MonotonicTime time{};  // before it was read
  ProcessId process;
  ProcessId parent;  // set by `Seeder`
  std::uint32_t parent_pid = 0;
  std::uint32_t virtual_pid = 0;
  std::uint64_t pid_namespace = 0;  // 0: no right to see it
  Credentials credentials;
  std::string name;
  std::string executable;         // "": a kernel thread, or no right to see it
  std::vector<std::string> args;  // with all secrets
  std::uint64_t args_bytes = 0;   // as the process has them; more than `args` when cut

  // For KnownWorld::seen(). `redacted` are the arguments as they may be kept; views of both must
  // outlive the fact.
  [[nodiscard]] ProcessExecuted fact(std::span<const std::string_view> redacted) const;
};

// Reads single processes. Faults: `unavailable`: it is gone; `denied`: hidden; `invalid`: not what
// proc(5) says.
class Reader {
 public:
  static constexpr std::size_t kMaxStat = 2048;
  static constexpr std::size_t kMaxStatus = 64 << 10;  // the group list may be long
  static constexpr std::size_t kMaxCmdline = 4096;
  static constexpr std::size_t kMaxLink = 4096;

  static Result<Reader> open(const std::string& root = "/proc");

  // All of one process: the directory is opened once, so nothing of a later process with the same
  // pid gets in.
  [[nodiscard]] Result<Snapshot> read(std::uint32_t pid) const;
  [[nodiscard]] Result<ProcessId> identify(std::uint32_t pid) const;
  // Whether the pids in it are those of the initial pid namespace, as facts have them; nothing when
  // that cannot be seen.
  [[nodiscard]] std::optional<bool> shows_host() const;
  [[nodiscard]] int directory() const { return root_.get(); }

 private:
  explicit Reader(Fd root) : root_(std::move(root)) {}

  Fd root_;
};

// Walks over all processes, a little at a time, so that a hundred thousand of them hold up nobody.
class Seeder {
 public:
  using Found = std::function<void(const Snapshot&)>;
  struct Stats {
    std::uint64_t found = 0;
    std::uint64_t vanished = 0;  // zombies, and those that ended between listing and reading
    std::uint64_t denied = 0;    // hidden from us, or not readable
    std::uint64_t malformed = 0;
  };

  static Result<Seeder> open(const std::string& root = "/proc");

  // Goes on for about `budget`, at least one process; true when there are no more.
  [[nodiscard]] bool step(std::chrono::nanoseconds budget, const Found& found);
  // Of a finished walk. Partial when something was hidden or unreadable, and when these are the
  // pids of another namespace.
  [[nodiscard]] Coverage coverage() const;
  [[nodiscard]] const Stats& stats() const { return stats_; }

 private:
  Seeder(Reader reader, DIR* list) : reader_(std::move(reader)), list_(list) {}
  void visit(std::uint32_t pid, const Found& found);
  ProcessId parent_of(const Snapshot& child);

  Reader reader_;
  std::unique_ptr<DIR, Freed<::closedir>> list_;
  Stats stats_;
  std::uint32_t latest_parent_pid_ = 0;  // siblings come in rows
  ProcessId latest_parent_;
  bool saw_first_ = false;  // pid 1: hidepid= hides it from those who may not see all
  bool finished_ = false;
  bool listing_failed_ = false;
};

}  // namespace tapio::proc
