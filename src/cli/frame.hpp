// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "cli/pages.hpp"
#include "cli/watch.hpp"

// What `tapio top` shows, as lines of text of a given size. No terminal is needed.
namespace tapio::cli {

enum class Style : std::uint8_t { plain, head, bar };

struct FrameLine {
  std::string text;  // printable
  Style style = Style::plain;
  bool operator==(const FrameLine&) const = default;
};
using Frame = std::vector<FrameLine>;

struct Size {
  std::size_t columns = 0, rows = 0;  // 0: as many as it takes
  bool operator==(const Size&) const = default;
};

// What the user chose.
struct Look {
  std::size_t page = 0;
  std::size_t sort = 0;  // by this figure; as many as there are: by the key
  bool reverse = false;
  std::size_t first = 0;  // rows above are not shown
  bool paused = false;
  bool help = false;
};

struct Now {
  MonotonicTime monotonic;
  std::chrono::nanoseconds wall;
};

inline constexpr Size kLeast{20, 4};              // of a terminal that a frame is made for
inline constexpr std::size_t kMaxPanelRows = 20;  // of each panel, when rows are not bounded

// Of the page that `look` says; its first rows are moved so that there is something to see.
[[nodiscard]] Frame draw(Watch& watch, const Pages& pages, Look& look, Size size, Now now);

// The same for programs: the figures as numbers.
[[nodiscard]] std::string frame_json(Watch& watch, const Pages& pages, std::size_t page, Now now);

}  // namespace tapio::cli
