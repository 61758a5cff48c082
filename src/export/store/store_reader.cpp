// SPDX-License-Identifier: Apache-2.0
#include "store_reader.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <iterator>

#include "base/clock.hpp"
#include "base/text.hpp"
#include "export/database_file.hpp"
#include "store_layout.hpp"

namespace tapio::store {

namespace {

constexpr int kPatienceMs = 1000;
// Instructions of SQLite's machine between two looks at the clock.
constexpr int kInstructions = 1000;

// What only tells how the file is laid out.
constexpr std::array<std::string_view, 7> kHarmlessPragmas = {
    "table_info", "table_xinfo", "table_list",    "index_list",
    "index_info", "page_count",  "freelist_count"};

bool is_harmless(const char* pragma) {
  return pragma && std::ranges::find(kHarmlessPragmas, pragma) != kHarmlessPragmas.end();
}

// Called while a statement is compiled, for each thing that it does.
int authorize(void* refused, int action, const char* first, const char* second, const char*,
              const char*) {
  switch (action) {
    case SQLITE_SELECT:
    case SQLITE_READ:
    case SQLITE_RECURSIVE:
      return SQLITE_OK;
    case SQLITE_FUNCTION:
      if (second && std::string_view(second) != "load_extension") return SQLITE_OK;
      break;
    case SQLITE_PRAGMA:
      if (is_harmless(first)) return SQLITE_OK;
      break;
    default:
      break;
  }
  *static_cast<bool*>(refused) = true;
  return SQLITE_DENY;
}

// Looked at while a statement runs.
class Watch {
 public:
  Watch(sqlite3* database, const Limits& limits)
      : database_(database), limits_(limits), end_(monotonic_now() + limits.time) {
    sqlite3_progress_handler(database_, kInstructions, &Watch::look, this);
  }
  ~Watch() { sqlite3_progress_handler(database_, 0, nullptr, nullptr); }
  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;

  [[nodiscard]] bool cancelled() const { return cancelled_; }
  [[nodiscard]] bool late() const { return late_; }

 private:
  static int look(void* self) {
    auto& watch = *static_cast<Watch*>(self);
    watch.cancelled_ = watch.limits_.cancelled();
    watch.late_ = monotonic_now() > watch.end_;
    return watch.cancelled_ || watch.late_ ? 1 : 0;
  }

  sqlite3* database_;
  const Limits& limits_;
  MonotonicTime end_;
  bool cancelled_ = false, late_ = false;
};

class Authorizer {
 public:
  explicit Authorizer(sqlite3* database) : database_(database) {
    sqlite3_set_authorizer(database_, authorize, &refused_);
  }
  ~Authorizer() { sqlite3_set_authorizer(database_, nullptr, nullptr); }
  Authorizer(const Authorizer&) = delete;
  Authorizer& operator=(const Authorizer&) = delete;
  [[nodiscard]] bool refused() const { return refused_; }

 private:
  sqlite3* database_;
  bool refused_ = false;
};

Result<sql::Statement> prepare_one(sqlite3* database, std::string_view sql) {
  if (sql.size() > Reader::kMaxSql)
    return invalid(fmt::format("the query is longer than {} bytes", Reader::kMaxSql));
  const Authorizer authorizer(database);
  auto statement = sql::Statement::prepare(database, sql);
  if (!statement && authorizer.refused())
    return fail(Fault::invalid, "only reading is possible: give a SELECT");
  if (!statement) return statement;
  if (!statement->get()) return invalid("there is no statement: give a SELECT");
  const std::string_view read = sqlite3_sql(statement->get());
  const auto rest = sql.substr(std::min(read.size(), sql.size()));
  if (rest.find_first_not_of("; \t\r\n") != std::string_view::npos)
    return invalid("give one statement at a time");
  return statement;
}

void bind(sql::Statement& statement, const Cell& cell) {
  if (const auto* number = std::get_if<std::int64_t>(&cell))
    statement.bind(*number);
  else if (const auto* text = std::get_if<std::string>(&cell))
    statement.bind(*text);
}

Cell cell_of(const sql::Statement& statement, int column) {
  switch (sqlite3_column_type(statement.get(), column)) {
    case SQLITE_INTEGER:
      return statement.number(column);
    case SQLITE_FLOAT:
      return sqlite3_column_double(statement.get(), column);
    case SQLITE_NULL:
      return {};
    default:
      return statement.text(column);
  }
}

std::size_t size_of(const Cell& cell) {
  const auto* text = std::get_if<std::string>(&cell);
  return sizeof(Cell) + (text ? text->size() : 0);
}

Result<Rows> read_rows(sql::Statement& statement, const Limits& limits) {
  Rows out;
  const int columns = sqlite3_column_count(statement.get());
  for (int i = 0; i < columns; ++i)
    out.columns.emplace_back(sqlite3_column_name(statement.get(), i));
  std::size_t bytes = 0;
  while (TRY(statement.step())) {
    out.cut = out.rows.size() >= limits.rows || bytes > Reader::kMaxBytes;
    if (out.cut) return out;
    auto& row = out.rows.emplace_back();
    for (int i = 0; i < columns; ++i) bytes += size_of(row.emplace_back(cell_of(statement, i)));
  }
  return out;
}

// As a URI (RFC 3986) that says that the file does not change.
std::string immutable(std::string_view path) {
  std::string uri = "file:";
  for (const char c : path) {
    if (c == '%' || c == '?' || c == '#')
      fmt::format_to(std::back_inserter(uri), "%{:02x}", static_cast<unsigned>(c));
    else
      uri += c;
  }
  return uri + "?immutable=1";
}

Result<sql::Connection> connect(const std::string& name) {
  sqlite3* opened = nullptr;
  const bool is_uri = name.starts_with("file:");
  const int flags = SQLITE_OPEN_READONLY | (is_uri ? SQLITE_OPEN_URI : 0);
  const int code = sqlite3_open_v2(name.c_str(), &opened, flags, nullptr);
  sql::Connection database(opened);
  if (code != SQLITE_OK) return std::unexpected(sql::error_of(opened, "open " + name));
  sqlite3_busy_timeout(opened, kPatienceMs);
  sqlite3_limit(opened, SQLITE_LIMIT_LENGTH, Reader::kMaxValue);
  sqlite3_limit(opened, SQLITE_LIMIT_ATTACHED, 0);
  const std::int64_t owner = TRY(sql::number_of(opened, "PRAGMA application_id"));
  TRY(sql::number_of(opened, "SELECT count(*) FROM sqlite_master"));
  if (owner != kApplicationId) return invalid(fmt::format("{} is no store of Tapio", name));
  TRY(sql::execute(opened, "PRAGMA query_only = ON; PRAGMA temp_store = MEMORY"));
  return database;
}

Error with_advice(Error error, std::string_view advice) {
  error.what.append("; ").append(advice);
  return error;
}

}  // namespace

Result<Reader> Reader::open(const std::string& path) {
  if (::access(path.c_str(), R_OK) != 0) {
    const bool denied = errno == EACCES;
    return fail(
        denied ? Fault::denied : Fault::unavailable,
        fmt::format("cannot read the store {}: {}; {}, or give --store", path, std::strerror(errno),
                    denied ? "be root or who owns it" : "an agent makes it"));
  }
  sqlite3_hard_heap_limit64(kMaxMemory);
  auto database = connect(path);
  // Beside a file on a read-only disk SQLite cannot lay what it shares with a writer; nobody
  // writes.
  if (!database && database.error().fault == Fault::unavailable && sql::log_bytes(path) == 0)
    database = connect(immutable(path));
  if (!database) return std::unexpected(std::move(database).error());
  return Reader(path, std::move(*database));
}

Result<Rows> Reader::query(std::string_view sql, std::span<const Cell> parameters,
                           const Limits& limits) const {
  auto statement = prepare_one(database_.get(), sql);
  if (!statement) return std::unexpected(explain(std::move(statement).error()));
  for (const Cell& parameter : parameters) bind(*statement, parameter);
  const Watch watch(database_.get(), limits);
  auto rows = read_rows(*statement, limits);
  if (rows) return rows;
  if (watch.cancelled()) return fail(Fault::unavailable, "interrupted");
  if (watch.late())
    return fail(Fault::unavailable,
                fmt::format("given up after {} ms: ask for less, like a shorter time, or allow "
                            "more with --timeout",
                            limits.time.count()));
  return std::unexpected(explain(std::move(rows).error()));
}

std::vector<std::string> Reader::names() const {
  std::vector<std::string> names;
  auto statement = sql::Statement::prepare(
      database_.get(), "SELECT name FROM sqlite_master WHERE type IN ('table', 'view')");
  if (!statement) return names;
  for (auto row = statement->step(); row && *row; row = statement->step())
    names.push_back(statement->text(0));
  return names;
}

// SQLite says "no such table: process.exec" to who forgot the quotes.
Error Reader::explain(Error error) const {
  if (error.what.starts_with("database: ")) error.what.erase(0, std::strlen("database: "));
  constexpr std::string_view kNoTable = "no such table: ";
  if (error.what.contains("no such column: "))
    return with_advice(std::move(error),
                       "`tapio query --tables` lists the columns; those with "
                       "dots want double quotes");
  const auto at = error.what.find(kNoTable);
  if (at == std::string::npos) return error;
  const std::string wanted = error.what.substr(at + kNoTable.size());
  const auto known = names();
  if (std::ranges::find(known, wanted) != known.end())
    return with_advice(std::move(error), "in double quotes it is there: " + quoted(wanted));
  const auto near = nearest(wanted, known);
  return with_advice(std::move(error), near.empty()
                                           ? "`tapio query --tables` lists what is there"
                                           : fmt::format("did you mean {}?", quoted(near)));
}

Result<std::vector<TableHelp>> Reader::tables() const {
  std::vector<TableHelp> out = {
      {"records",
       "Everything, one row for each record; the views below are made of it.",
       {{"id", "text", "", "As stories name it: 673e9a10.42."},
        {"time", "text", "", "RFC 3339, in UTC."},
        {"time_ns", "integer", "ns", "The same, since 1970."},
        {"type", "text", "", "event, metric, finding, story or gap."},
        {"name", "text", "", "What kind of record: the name of its view."},
        {"entity", "text", "", "Whom it is about: a stable id of the process, or words."},
        {"pid", "integer", "", "The process that acted."},
        {"comm", "text", "", "Its name."},
        {"container_id", "text", "", "Its container, when that is known."},
        {"unit", "text", "", "Its systemd unit, when that is known."},
        {"body", "text", "", "All of the record, as JSON."}}},
      {"runs",
       "Each run of the agent that wrote here, and whether it was closed.",
       {{"run", "text", "", "The first part of its records' ids."},
        {"first_time", "text", "", "Of its first record."},
        {"last_time", "text", "", "Of its last."},
        {"last_id", "text", "", "Its last record that is certain to be here, or was."},
        {"records", "integer", "1", "How many were written."},
        {"ended", "text", "", "closed, not closed, or null while it runs."}}}};
  auto views =
      TRY(sql::Statement::prepare(database_.get(), "SELECT name, help FROM schemas ORDER BY name"));
  while (TRY(views.step())) out.push_back({views.text(0), views.text(1), {}});
  auto fields = TRY(
      sql::Statement::prepare(database_.get(),
                              "SELECT field, type, unit, help FROM fields WHERE name = ?1 ORDER BY "
                              "position"));
  for (TableHelp& table : out) {
    fields.bind(table.name);
    while (TRY(fields.step()))
      table.fields.push_back({fields.text(0), fields.text(1), fields.text(2), fields.text(3)});
    fields.reset();
    if (table.name.contains('.')) table.name = quoted(table.name);
  }
  return out;
}

}  // namespace tapio::store
