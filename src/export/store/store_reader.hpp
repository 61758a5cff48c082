// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.hpp"
#include "export/database.hpp"

namespace tapio::store {

using Cell = std::variant<std::monostate, std::int64_t, double, std::string>;

struct Limits {
  // What a query may take before it is given up; rows beyond `rows` are not read.
  std::chrono::milliseconds time = std::chrono::seconds(10);
  std::uint64_t rows = 1000;
  std::function<bool()> cancelled = [] { return false; };
};

struct Rows {
  std::vector<std::string> columns;
  std::vector<std::vector<Cell>> rows;
  bool cut = false;  // there are more
};

struct FieldHelp {
  std::string name, type, unit, help;
};
struct TableHelp {
  std::string name;  // as it is to be written: quoted where SQL wants it
  std::string help;
  std::vector<FieldHelp> fields;
};

// Reads what the sink `store` wrote, also while it writes. Nothing can be changed through it, and
// no other file be reached, whatever the SQL says: SQLite is opened read-only, and asks us about
// each thing that a statement does.
class Reader {
 public:
  static constexpr std::size_t kMaxSql = 64 << 10;
  static constexpr std::size_t kMaxBytes = 64 << 20;  // of one result
  static constexpr int kMaxValue = 4 << 20;           // bytes
  static constexpr std::int64_t kMaxMemory = 256 << 20;

  // unavailable: there is none. denied: not ours to read.
  static Result<Reader> open(const std::string& path);

  // One statement; `?` stand for the parameters. The error is a sentence that names what is near.
  [[nodiscard]] Result<Rows> query(std::string_view sql, std::span<const Cell> parameters,
                                   const Limits& limits) const;

  // What can be asked: the tables, then the views.
  [[nodiscard]] Result<std::vector<TableHelp>> tables() const;

 private:
  Reader(std::string path, sql::Connection database)
      : path_(std::move(path)), database_(std::move(database)) {}
  [[nodiscard]] Error explain(Error error) const;
  [[nodiscard]] std::vector<std::string> names() const;

  std::string path_;
  sql::Connection database_;
};

}  // namespace tapio::store
