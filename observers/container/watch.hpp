// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <list>
#include <optional>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/outside.hpp"
#include "cgroup_files.hpp"
#include "consumers.hpp"
#include "container_config.hpp"
#include "facts/cgroup.hpp"
#include "facts/world.hpp"

namespace tapio::container {

// Reads cgroups in turn, those with a memory limit more often, so many and so long at most a
// second.
class Watch {
 public:
  static constexpr std::size_t kMaxCgroups = 16'384;      // those beyond it are not read
  static constexpr std::chrono::milliseconds kBudget{5};  // of one tick
  // Whoever makes a cgroup sets its limits a moment later: no change yet.
  static constexpr std::chrono::seconds kSettles{2};

  // Of a cgroup with which all is well: memory.stat takes longer than all else.
  static constexpr std::chrono::seconds kDetails{5};
  // Something is up: it uses so much of its limit, it would reach it within this time, or its tasks
  // wait for memory so many percent of the time.
  static constexpr double kFullish = 0.5;
  static constexpr std::chrono::seconds kSoon{120};
  static constexpr double kWaits = 1;

  // So near to its limit that who is in it is looked at, so often at most, and so many in a tick.
  static constexpr double kNear = 0.9;
  static constexpr std::chrono::seconds kLook{5};
  static constexpr std::size_t kMaxLooks = 4;

  struct Looked {
    std::uint64_t cgroup_id = 0;
    Consumers consumers;
  };
  struct Readings {
    std::vector<CgroupMemory> memory;
    std::vector<Looked> looked;
    std::vector<CgroupLimitChanged> changes;
  };

  // Without `files` in a replay, where nothing is read.
  Watch(std::optional<CgroupFiles> files, const Config& config, Outside& outside = live_outside())
      : files_(std::move(files)), config_(config), outside_(&outside) {}

  // Every cgroup is due: an interval that was long must not hold up a short one.
  void configure(const Config& config);
  void add(const CgroupCreated& fact);
  void remove(std::uint64_t id);
  // Where a cgroup lies, the World tells; one that it has forgotten is read no more.
  [[nodiscard]] Readings tick(MonotonicTime now, const World& world);
  [[nodiscard]] std::size_t size() const { return by_id_.size(); }

 private:
  struct Value {
    MonotonicTime read{};  // 0: there is no value
    std::uint64_t value = 0;
  };
  struct Entry {
    std::uint64_t id;
    MonotonicTime settled{};
    MonotonicTime due{};
    MonotonicTime limits_due{};
    MonotonicTime details_due{};  // unless there is something to see
    MonotonicTime read{};
    std::uint64_t usage = 0;
    MonotonicTime look_due{};
    bool limited = false;  // of memory or CPU: in which list it is
    bool pressed = false;  // there is something to see
    bool near = false;     // to its limit
    std::array<Value, kLimits> limits{};
  };
  using Entries = std::list<Entry>;
  // What of a cgroup is to be read.
  struct Due {
    bool limits = false, details = false, consumers = false;
  };
  // What its files say, and whether the tick has taken its time by then.
  struct Seen {
    bool there = false, time_is_up = false;
    Figures figures;
    Consumers consumers;
  };

  [[nodiscard]] Due due(const Entry& entry, MonotonicTime now, std::size_t looked) const;
  // `path`: below the mount.
  [[nodiscard]] Seen ask(const Entry& entry, std::string_view path, Due due,
                         MonotonicTime end) const;
  [[nodiscard]] Seen look(const Entry& entry, std::string_view path, Due due) const;
  void take(Entry& entry, const Seen& seen, Due due, MonotonicTime now, Readings& out) const;
  void take_memory(Entry& entry, const Seen& seen, MonotonicTime now, Readings& out) const;
  void note(Entry& entry, Limit limit, std::optional<std::uint64_t> value, MonotonicTime now,
            Readings& out) const;
  // What all of a tick have in common.
  struct Tick {
    MonotonicTime now, end;
    const World& world;
    Readings& out;
  };
  std::size_t go_round(Entries& list, std::size_t most, const Tick& tick);

  std::optional<CgroupFiles> files_;
  Config config_;
  Outside* outside_;
  Entries limited_, others_;  // whose turn it is first
  std::unordered_map<std::uint64_t, Entries::iterator> by_id_;
};

}  // namespace tapio::container
