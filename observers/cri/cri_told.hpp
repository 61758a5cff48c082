// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/clock.hpp"
#include "facts/container.hpp"

// What runtimes say, as one thread hands it to another, and as it lies in a recording.
namespace tapio::cri {

// A runtime chooses its words itself: what is longer than this is cut.
inline constexpr std::size_t kMaxName = 512;
inline constexpr std::size_t kMaxLabels = 1024;

struct Pod {
  std::string name, space, uid;
};

struct Described {
  MonotonicTime time{};  // when it was said
  std::string id;
  std::string runtime;
  std::string name;
  std::string image;
  Pod pod;
  std::string sandbox_id;
  bool sandbox = false;
  std::uint32_t restarts = 0;
  ContainerState state{};
  std::int32_t exit_code = 0;
  std::string exit_reason;
  std::string labels;  // "a=b,c=d"; "" when nobody wants them
};

// No runtime that could know it does; or none answered.
struct Unnamed {
  std::string id;
  bool asked = false;  // false: nobody answered
};

// A runtime does not have it any more.
struct Removed {
  MonotonicTime time{};
  std::string id;
};

// How it is about a runtime, when that is different from before, and after each list.
struct RuntimeState {
  enum class Is : std::uint8_t {
    absent,         // there is no socket
    denied,         // the socket is not ours to ask
    connected,      // it answers
    silent,         // it does not answer, or not in time
    not_a_runtime,  // it answers, but not to what we ask: containerd without its CRI plugin
  };
  MonotonicTime time{};
  std::string socket;
  std::string name, version;  // "containerd", "1.6.20"
  Is is{};
  std::string reason;
  bool hears_events = false;
  bool listed = false;  // the counts are of a list
  std::uint32_t created = 0, running = 0, exited = 0, sandboxes = 0;
};

// The calls of one method in an interval.
struct Calls {
  MonotonicTime time{};
  std::string runtime, method;
  std::chrono::nanoseconds window{};
  std::uint64_t count = 0, errors = 0;
  std::chrono::nanoseconds median{}, p99{}, longest{};
};

// An image that was not there before.
struct Pulled {
  MonotonicTime time{};
  std::string runtime, image, id;
  std::uint64_t bytes = 0;
};

// Since the start.
struct Counts {
  std::uint64_t lookups = 0;   // containers that were asked for
  std::uint64_t unknown = 0;   // of these, which no runtime knows
  std::uint64_t refused = 0;   // of these, beyond a bound
  std::uint64_t calls = 0;     // of methods
  std::uint64_t failures = 0;  // of these, without an answer
  std::uint64_t reconnects = 0;
  std::uint64_t events = 0;
  std::uint64_t dropped = 0;  // what was said and not fetched in time
  std::uint64_t cut = 0;      // containers, images or labels beyond a bound
};

using Told = std::variant<Described, Unnamed, Removed, RuntimeState, Calls, Pulled, Counts>;

[[nodiscard]] std::string packed(const std::vector<Told>& told);
// As far as it can be read: in a replay it comes from a file.
[[nodiscard]] std::vector<Told> unpacked(std::string_view bytes);

}  // namespace tapio::cri
