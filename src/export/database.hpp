// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sqlite3.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/fd.hpp"
#include "base/result.hpp"

// SQLite, as far as sinks need it, with our errors.
namespace tapio::sql {

using Connection = std::unique_ptr<sqlite3, Freed<sqlite3_close_v2>>;

// unavailable: passes, or may (busy, full, read-only, an I/O error). broken: the file is damaged or
// no database. invalid: the statement is wrong.
[[nodiscard]] Error error_of(sqlite3* database, std::string_view doing);

Status execute(sqlite3* database, const char* sql);
// The number that a pragma or a query of one value gives.
[[nodiscard]] Result<std::int64_t> number_of(sqlite3* database, std::string_view sql);

// A prepared statement. Text that is bound has to last until it was run.
class Statement {
 public:
  Statement() = default;
  static Result<Statement> prepare(sqlite3* database, std::string_view sql);

  Statement& bind(std::int64_t number);
  Statement& bind(std::string_view text);
  Statement& bind_blob(std::string_view bytes);
  Statement& bind_text_or_null(std::string_view text);  // "": null
  Statement& bind_number_or_null(std::int64_t number);  // 0: null

  // True: there is a row to read.
  [[nodiscard]] Result<bool> step();
  // To its end, and ready to be bound again.
  Status run();
  void reset();

  [[nodiscard]] std::int64_t number(int column) const;
  [[nodiscard]] std::string text(int column) const;
  [[nodiscard]] sqlite3_stmt* get() const { return statement_.get(); }

 private:
  std::unique_ptr<sqlite3_stmt, Freed<sqlite3_finalize>> statement_;
  int bound_ = 0;
};

// The rows that the last statement has changed.
[[nodiscard]] std::int64_t changes(sqlite3* database);

}  // namespace tapio::sql
