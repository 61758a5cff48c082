// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <list>
#include <string>

#include "evaluate/story.hpp"

// What the stories about detections have in common.
namespace tapio {

// Which detections are told: the first of an incident, and again when it has doubled.
class Incidents {
 public:
  static constexpr std::size_t kMost = 256;  // beyond: the one longest without a detection goes
  // A detector repeats itself each minute while an incident goes on.
  static constexpr std::chrono::nanoseconds kOver = std::chrono::minutes(5);

  [[nodiscard]] bool is_news(const Detected& detected);

 private:
  struct Known {
    std::string key;
    MonotonicTime latest{};
    std::uint64_t told = 0;  // count
  };
  std::list<Known> known_;
};

// About the process of the detection, with its evidence; without title, cause and chain.
[[nodiscard]] Story story_of(const Detected& detected);

// How often, and within what time: "5 times in 42 s".
[[nodiscard]] std::string often(const Detected& detected);

}  // namespace tapio
