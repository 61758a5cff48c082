// SPDX-License-Identifier: Apache-2.0
#include "cli/grid.hpp"

#include <algorithm>

#include "base/text.hpp"
#include "record/human.hpp"

namespace tapio::cli {

namespace {

constexpr std::string_view kGap = "  ";

}  // namespace

std::vector<std::size_t> Grid::widths() const {
  std::vector<std::size_t> widths;
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    std::size_t width = columns(columns_[i].head);
    for (const auto& row : rows_) width = std::max(width, columns(row[i]));
    widths.push_back(std::min(width, kMaxCellColumns));
  }
  return widths;
}

std::string Grid::line(const std::vector<std::string>& cells,
                       const std::vector<std::size_t>& widths) const {
  std::string line;
  for (std::size_t i = 0; i < cells.size(); ++i) {
    const bool last = i + 1 == cells.size();
    const std::string cell = last ? cells[i] : cut(cells[i], widths[i]);
    const std::size_t rest = widths[i] - std::min(widths[i], columns(cell));
    if (i > 0) line += kGap;
    if (columns_[i].align == Align::right) line.append(rest, ' ');
    line += cell;
    if (columns_[i].align == Align::left && !last) line.append(rest, ' ');
  }
  line.resize(line.find_last_not_of(' ') + 1);
  return line;
}

std::vector<std::string> Grid::lines() const {
  const auto all = widths();
  std::vector<std::string> heads;
  for (const Column& column : columns_) heads.push_back(column.head);
  std::vector<std::string> lines = {line(heads, all)};
  for (const auto& row : rows_) lines.push_back(line(row, all));
  return lines;
}

}  // namespace tapio::cli
