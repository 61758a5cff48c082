// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

namespace tapio::cli {

// Cells in columns, as wide as what is in them.
class Grid {
 public:
  static constexpr std::size_t kMaxCellColumns = 40;  // but for the last cell of a line

  enum class Align : bool { left, right };
  struct Column {
    std::string head;
    Align align = Align::left;
  };

  explicit Grid(std::vector<Column> columns) : columns_(std::move(columns)) {}
  // Printable, one for each column.
  void add(std::vector<std::string> cells) { rows_.push_back(std::move(cells)); }

  [[nodiscard]] std::size_t rows() const { return rows_.size(); }
  // The heads, and then the rows.
  [[nodiscard]] std::vector<std::string> lines() const;

 private:
  [[nodiscard]] std::vector<std::size_t> widths() const;
  [[nodiscard]] std::string line(const std::vector<std::string>& cells,
                                 const std::vector<std::size_t>& widths) const;

  std::vector<Column> columns_;
  std::vector<std::vector<std::string>> rows_;
};

}  // namespace tapio::cli
