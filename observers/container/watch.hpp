// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <list>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/outside.hpp"
#include "cgroup_files.hpp"
#include "container_config.hpp"
#include "facts/cgroup.hpp"

namespace tapio::container {

// Reads cgroups in turn, those with a memory limit more often, so many and so long at most a
// second.
class Watch {
 public:
  static constexpr std::size_t kMaxCgroups = 16'384;      // those beyond it are not read
  static constexpr std::chrono::milliseconds kBudget{5};  // of one tick
  // Whoever makes a cgroup sets its limits a moment later: no change yet.
  static constexpr std::chrono::seconds kSettles{2};

  struct Readings {
    std::vector<CgroupMemory> memory;
    std::vector<CgroupLimitChanged> changes;
  };

  // Without `files` in a replay, where nothing is read.
  Watch(std::optional<CgroupFiles> files, const Config& config, Outside& outside = live_outside())
      : files_(std::move(files)), config_(config), outside_(&outside) {}

  // Every cgroup is due: an interval that was long must not hold up a short one.
  void configure(const Config& config);
  void add(const CgroupCreated& fact);
  void remove(std::uint64_t id);
  [[nodiscard]] Readings tick(MonotonicTime now);
  [[nodiscard]] std::size_t size() const { return by_id_.size(); }

 private:
  struct Value {
    MonotonicTime read{};
    std::optional<std::uint64_t> value;
  };
  struct Entry {
    std::uint64_t id;
    std::string path;      // below the mount
    bool limited = false;  // in which list it is
    MonotonicTime settled{};
    MonotonicTime due{};
    MonotonicTime limits_due{};
    std::array<Value, kLimits> limits{};
  };
  using Entries = std::list<Entry>;
  // What the files of a cgroup say, and whether the tick has taken its time by then.
  struct Seen {
    bool there = false, time_is_up = false;
    std::optional<std::uint64_t> memory_max, memory_usage, cpu, pids;
  };

  [[nodiscard]] Seen ask(const Entry& entry, bool limits_due, MonotonicTime end) const;
  [[nodiscard]] Seen look(const Entry& entry, bool limits_due) const;
  void take(Entry& entry, const Seen& seen, bool limits_due, MonotonicTime now,
            Readings& out) const;
  void note(Entry& entry, Limit limit, std::optional<std::uint64_t> value, MonotonicTime now,
            Readings& out) const;
  std::size_t go_round(Entries& list, std::size_t most, MonotonicTime now, MonotonicTime end,
                       Readings& out);

  std::optional<CgroupFiles> files_;
  Config config_;
  Outside* outside_;
  Entries limited_, others_;  // whose turn it is first
  std::unordered_map<std::uint64_t, Entries::iterator> by_id_;
};

}  // namespace tapio::container
