// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <mutex>
#include <optional>
#include <string>

#include "base/fd.hpp"

namespace tapio::store {

// How many records a run was given to keep, in a small file beside the database. It is written as
// they come, so it outlives a kill of the agent, and the next run can say how many never got into
// the database. Not synced: after a crash of the machine it may be behind.
class Mark {
 public:
  struct Given {
    std::uint32_t run = 0;
    std::uint64_t records = 0;
  };

  // What the run before has left, read before this one writes; nothing when there is none, or it is
  // not what was written here. The file is made if it is missing. Without a file nothing is noted.
  std::optional<Given> open(const std::string& path);
  // Records of this run that were given; from another thread than open().
  void add(std::uint32_t run, std::uint64_t records);

 private:
  void write();  // with the lock held

  std::mutex mutex_;
  Fd file_;
  Given given_;
};

}  // namespace tapio::store
