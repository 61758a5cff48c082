// SPDX-License-Identifier: Apache-2.0
#include "export/database.hpp"

#include <fmt/format.h>

#include <cstring>

namespace tapio::sql {

namespace {

Fault fault_of(int code) {
  switch (code & 0xFF) {
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return Fault::broken;
    case SQLITE_NOMEM:
      return Fault::exhausted;
    case SQLITE_AUTH:
    case SQLITE_PERM:
      return Fault::denied;
    case SQLITE_ERROR:
    case SQLITE_RANGE:
    case SQLITE_MISUSE:
    case SQLITE_TOOBIG:
    case SQLITE_CONSTRAINT:
    case SQLITE_MISMATCH:
      return Fault::invalid;
    default:
      return Fault::unavailable;
  }
}

// Beside the error of SQLite, what the operating system said.
std::string system_error(sqlite3* database) {
  const int primary = sqlite3_errcode(database) & 0xFF;
  if (primary != SQLITE_IOERR && primary != SQLITE_CANTOPEN) return {};
  const int number = sqlite3_system_errno(database);
  return number == 0 ? "" : fmt::format(" ({})", std::strerror(number));
}

}  // namespace

Error error_of(sqlite3* database, std::string_view doing) {
  return {fault_of(sqlite3_extended_errcode(database)),
          fmt::format("{}: {}{}", doing, sqlite3_errmsg(database), system_error(database))};
}

Status execute(sqlite3* database, const char* sql) {
  if (sqlite3_exec(database, sql, nullptr, nullptr, nullptr) == SQLITE_OK) return {};
  return std::unexpected(error_of(database, "database"));
}

Result<std::int64_t> number_of(sqlite3* database, std::string_view sql) {
  auto statement = TRY(Statement::prepare(database, sql));
  const bool row = TRY(statement.step());
  return row ? statement.number(0) : 0;
}

Result<Statement> Statement::prepare(sqlite3* database, std::string_view sql) {
  Statement made;
  sqlite3_stmt* statement = nullptr;
  const int code = sqlite3_prepare_v3(database, sql.data(), static_cast<int>(sql.size()),
                                      SQLITE_PREPARE_PERSISTENT, &statement, nullptr);
  made.statement_.reset(statement);
  if (code != SQLITE_OK) return std::unexpected(error_of(database, "database"));
  return made;
}

Statement& Statement::bind(std::int64_t number) {
  sqlite3_bind_int64(statement_.get(), ++bound_, number);
  return *this;
}

Statement& Statement::bind(std::string_view text) {
  // A null pointer would be NULL.
  sqlite3_bind_text64(statement_.get(), ++bound_, text.empty() ? "" : text.data(), text.size(),
                      SQLITE_STATIC, SQLITE_UTF8);
  return *this;
}

Statement& Statement::bind_blob(std::string_view bytes) {
  sqlite3_bind_blob64(statement_.get(), ++bound_, bytes.empty() ? "" : bytes.data(), bytes.size(),
                      SQLITE_STATIC);
  return *this;
}

Statement& Statement::bind_text_or_null(std::string_view text) {
  if (!text.empty()) return bind(text);
  sqlite3_bind_null(statement_.get(), ++bound_);
  return *this;
}

Statement& Statement::bind_number_or_null(std::int64_t number) {
  if (number != 0) return bind(number);
  sqlite3_bind_null(statement_.get(), ++bound_);
  return *this;
}

Result<bool> Statement::step() {
  const int code = sqlite3_step(statement_.get());
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  return std::unexpected(error_of(sqlite3_db_handle(statement_.get()), "database"));
}

Status Statement::run() {
  Result<bool> row = step();
  while (row && *row) row = step();
  Status done;
  if (!row) done = std::unexpected(std::move(row).error());
  reset();
  return done;
}

void Statement::reset() {
  sqlite3_reset(statement_.get());
  sqlite3_clear_bindings(statement_.get());
  bound_ = 0;
}

std::int64_t Statement::number(int column) const {
  return sqlite3_column_int64(statement_.get(), column);
}

std::string Statement::text(int column) const {
  const void* bytes = sqlite3_column_blob(statement_.get(), column);
  const auto size = static_cast<std::size_t>(sqlite3_column_bytes(statement_.get(), column));
  return bytes ? std::string(static_cast<const char*>(bytes), size) : std::string();
}

std::int64_t changes(sqlite3* database) {
  return sqlite3_changes64(database);
}

}  // namespace tapio::sql
