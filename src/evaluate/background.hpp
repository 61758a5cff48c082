// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "evaluate/losses.hpp"
#include "evaluate/story.hpp"

// What the engine adds to every story when it is told.
namespace tapio {

inline constexpr std::chrono::nanoseconds kChangesBefore = std::chrono::minutes(10);
inline constexpr std::size_t kMaxChangesTold = 5;  // the most telling first; the rest is a number
inline constexpr std::size_t kMaxBlindSpotsTold = 4;
inline constexpr std::chrono::nanoseconds kLossesBefore = std::chrono::seconds(30);

// What changed before it, in the same place. What is evidence of the story itself is left out.
void add_changes(Story& story, const World& world);
// Why it may not know all: `lost` are records of the classes state and critical.
void add_missing(Story& story, const World& world, const Losses& lost);

}  // namespace tapio
