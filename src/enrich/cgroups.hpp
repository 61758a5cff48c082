// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <list>
#include <string_view>
#include <unordered_map>

#include "facts/world.hpp"

namespace tapio {

struct CgroupLimits {
  std::size_t live = 32'768;    // beyond it, the one that was made or found first is forgotten
  std::size_t removed = 4'096;  // beyond it, the one that was removed first
  // Removed ones stay that long, so that what is told of them later still names the container.
  std::chrono::seconds keep_removed{300};
  std::size_t text_bytes = 8 << 20;  // of all paths; beyond it the same are forgotten as above
};

// Every control group that is there, and those removed lately. Takes facts in any order, so that a
// walk over the file system and late events may cross. An id never means two: kernfs gives them out
// anew only when 2^32 numbers and 2^32 generations are used up (5.5; 2^32 numbers before), and a
// fact about an id that lies behind its removal begins a new one.
class Cgroups {
 public:
  struct Stats {
    std::uint64_t live = 0, removed = 0;
    std::uint64_t evicted = 0;  // forgotten because of a bound
    std::uint64_t text_bytes = 0;
  };

  explicit Cgroups(CgroupLimits limits = {}) : limits_(limits) {}

  // With evidence it is an event, and then the time of creation is known. Without, it was found at
  // `time`; what events say is not undone.
  void created(const CgroupCreated& fact);
  void removed(const CgroupRemoved& fact);
  // Forgets what was removed long ago.
  void expire(MonotonicTime now);

  // A walk over all that is there begins; what is not found until it ends complete was removed.
  void begin_walk(MonotonicTime now);
  void end_walk(MonotonicTime now);

  [[nodiscard]] const Cgroup* find(std::uint64_t id) const;
  [[nodiscard]] Stats stats() const;

 private:
  struct Entry {
    Cgroup cgroup;
    MonotonicTime heard{};  // of the newest fact that it is there
  };
  using Entries = std::list<Entry>;

  Entry& know(std::uint64_t id, MonotonicTime time);
  void set_path(Entry& entry, std::string_view path);
  void retire(Entries::iterator entry, MonotonicTime time);
  void forget(Entries& list);
  void limit();

  CgroupLimits limits_;
  Entries live_;     // known longest first
  Entries removed_;  // removed first, first
  std::unordered_map<std::uint64_t, Entries::iterator> by_id_;
  std::size_t text_bytes_ = 0;
  std::uint64_t evicted_ = 0;
  MonotonicTime walk_began_{};
};

}  // namespace tapio
