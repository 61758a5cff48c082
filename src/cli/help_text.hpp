// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace tapio::cli {

// A line of a list: what it is about, and what is said of it, which may be "".
struct HelpItem {
  std::string head, text;
};

// The text that --help prints, taken apart: paragraphs are parted by empty lines.
struct HelpText {
  struct Paragraph {
    std::string text;
    std::vector<HelpItem> items;  // behind it
  };
  std::vector<HelpItem> usage;
  std::vector<Paragraph> paragraphs;
  std::vector<std::string> examples;
};
[[nodiscard]] HelpText read_help(std::string_view text);

// What is said of one item, "--config" or "trace", anywhere in the text; or "".
[[nodiscard]] std::string said_of(const HelpText& help, std::string_view name);

}  // namespace tapio::cli
