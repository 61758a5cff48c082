// SPDX-License-Identifier: Apache-2.0
#include "cli/help_text.hpp"

#include <algorithm>

namespace tapio::cli {

namespace {

constexpr std::size_t kIndent = 2;  // of an item; what goes on with it has more

using Lines = std::vector<std::string_view>;

std::size_t indent_of(std::string_view line) {
  return std::min(line.find_first_not_of(' '), line.size());
}

std::string_view trimmed(std::string_view line) {
  line.remove_prefix(indent_of(line));
  return line;
}

void join(std::string& text, std::string_view more) {
  if (!text.empty() && !more.empty()) text += ' ';
  text += more;
}

// Two blanks part the head from the text.
HelpItem item_of(std::string_view line) {
  line = trimmed(line);
  const auto gap = std::min(line.find("  "), line.size());
  return {std::string(line.substr(0, gap)), std::string(trimmed(line.substr(gap)))};
}

std::vector<Lines> paragraphs_of(std::string_view text) {
  std::vector<Lines> paragraphs(1);
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size());
    if (end > 0)
      paragraphs.back().push_back(text.substr(0, end));
    else if (!paragraphs.back().empty())
      paragraphs.emplace_back();
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return paragraphs;
}

HelpText::Paragraph paragraph_of(const Lines& lines) {
  HelpText::Paragraph out;
  for (const std::string_view line : lines) {
    if (indent_of(line) == 0)
      join(out.text, line);
    else if (indent_of(line) == kIndent || out.items.empty())
      out.items.push_back(item_of(line));
    else
      join(out.items.back().text, trimmed(line));
  }
  return out;
}

void read_usage(HelpText& out, const Lines& lines) {
  constexpr std::string_view kUsage = "Usage:";
  for (std::string_view line : lines) {
    if (line.starts_with(kUsage)) line.remove_prefix(kUsage.size());
    out.usage.push_back(item_of(line));
  }
}

bool is_about(const HelpItem& item, std::string_view name) {
  for (std::string_view rest = item.head; !rest.empty();) {
    const auto end = std::min(rest.find_first_of(" ,."), rest.size());
    if (rest.substr(0, end) == name) return true;
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return false;
}

}  // namespace

HelpText read_help(std::string_view text) {
  HelpText out;
  for (const Lines& lines : paragraphs_of(text)) {
    if (lines.empty()) continue;
    if (lines.front().starts_with("Usage:"))
      read_usage(out, lines);
    else if (lines.front().starts_with("Example"))
      for (std::size_t i = 1; i < lines.size(); ++i) out.examples.emplace_back(trimmed(lines[i]));
    else
      out.paragraphs.push_back(paragraph_of(lines));
  }
  return out;
}

std::string said_of(const HelpText& help, std::string_view name) {
  for (const auto& paragraph : help.paragraphs)
    for (const HelpItem& item : paragraph.items)
      if (is_about(item, name)) return item.text;
  return "";
}

}  // namespace tapio::cli
