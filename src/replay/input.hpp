// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string_view>
#include <variant>
#include <vector>

#include "base/bytes.hpp"
#include "base/clock.hpp"
#include "enrich/processes.hpp"
#include "facts/facts.hpp"
#include "observer.hpp"

// Everything that enters the part of the agent that gives the same for the same input: pipeline,
// observers, World and stories. In the order in which it enters, with the answers that
// Outside::ask() gave in between, this is what a recording holds. Views live until the input has
// been taken.
namespace tapio::replay {

// An observer is started; the answers that follow are those of its start. It may fail.
struct Starting {
  std::string_view observer;
  bool provider = false;
};
struct ClocksRead {
  Clocks clocks;  // without the suspends, which the pipeline finds
  MonotonicTime now{};
};
struct Watching {
  MonotonicTime since{};
};
// As the drain thread read them, one after another.
struct Samples {
  Bytes block;
};
struct Advanced {
  MonotonicTime watermark{};
};
// What there is goes out as a batch.
struct Flushed {};
// Seen in /proc; arguments without secrets.
struct ProcessFound {
  ProcessExecuted process;
};
struct ResyncBegan {
  MonotonicTime now{};
};
struct ResyncEnded {
  Coverage coverage{};
};
struct WalkBegan {
  MonotonicTime now{};
};
// On a walk over the cgroup file system, or by a process that is in it.
struct CgroupFound {
  MonotonicTime time{};
  std::uint64_t id = 0;
  std::string_view path;
};
struct WalkEnded {
  MonotonicTime now{};
};
struct SurplusTaken {
  std::uint8_t observer = 0;
  Surplus surplus{};
  MonotonicTime now{};
};
// What readings of the ledger and the counts of later stages say was lost since the last ones.
struct LossFound {
  std::string_view observer, event_class, stage, reason;
  MonotonicTime from{}, to{};
  std::uint64_t count = 0;
};
struct SightChanged {
  std::span<const std::string_view> blind_spots;
};
struct Ticked {
  MonotonicTime now{};
};

enum class End : std::uint8_t {
  stopped,  // the agent was told to stop
  full,     // as many bytes as were allowed
};
struct Ended {
  End why{};
};

// The position in this list is the number in the file: new kinds go to its end.
using Input = std::variant<Starting, ClocksRead, Watching, Samples, Advanced, Flushed, ProcessFound,
                           ResyncBegan, ResyncEnded, WalkBegan, CgroupFound, WalkEnded,
                           SurplusTaken, LossFound, SightChanged, Ticked, Ended>;

}  // namespace tapio::replay
