// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "record/record.hpp"

namespace tapio {

// Records as lines of a table, for people. Widths are fixed by the schemas, so that lines align
// while they come in; a cell that is too long pushes the next ones, which use up their own slack
// until the line is aligned again. No control character of any text reaches the terminal.
//
// One schema: TIME, PID and PROCESS, then the fields that have a column. Several: TIME, NAME, PID,
// PROCESS and DETAILS, where those fields stand as key=value.
class Table {
 public:
  // narrow: fields with a column. wide: all fields and the record's id.
  enum class Detail : std::uint8_t { narrow, wide };

  // Narrow lines are cut to `terminal_columns`, with an ellipsis; 0: no terminal, nothing is cut.
  Table(std::span<const Schema* const> schemas, Detail detail, std::size_t terminal_columns);

  // Lines are without their newline.
  [[nodiscard]] std::string header() const;
  // A record of a schema that this table is not made of, like a gap, becomes a line of its time,
  // name and fields.
  void append_row(std::string& out, const Record& record, const Clocks& clocks);

 private:
  enum class Source : std::uint8_t { time, id, name, pid, process, field, details };
  enum class Align : std::uint8_t { left, right };
  struct Column {
    Source source;
    std::string head;
    std::size_t width;
    Align align;
    std::size_t field = 0;  // of Source::field
    std::size_t start = 0;  // on the line
  };

  void add(Column column);
  void add_field(std::size_t index);
  [[nodiscard]] bool has_field(std::string_view name) const;
  [[nodiscard]] bool in_detail(const Field& field) const;
  [[nodiscard]] bool is_foreign(const Schema& schema) const;

  void fill(const Column& column, const Record& record, const Clocks& clocks);
  void fill_value(const Field& field, const Value& value, const Clocks& clocks);
  void fill_words(std::span<const std::string_view> words);
  void fill_details(const Record& record, const Clocks& clocks);
  void finish(std::string& out, std::size_t begin) const;

  std::vector<const Schema*> schemas_;
  Detail detail_;
  std::size_t cut_;  // 0: never
  std::vector<Column> columns_;
  std::string cell_, word_;  // kept for their memory
};

}  // namespace tapio
