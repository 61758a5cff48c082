// SPDX-License-Identifier: Apache-2.0
#include "otlp_spool.hpp"

#include <fmt/format.h>

#include <charconv>
#include <string_view>

#include "base/clock.hpp"
#include "base/log.hpp"
#include "export/database_file.hpp"

namespace tapio::otlp {

namespace {

constexpr std::int64_t kApplicationId = 0x54704f53;  // "TpOS"
constexpr std::int64_t kVersion = 1;
constexpr std::int64_t kPageBytes = 4096;
// What SQLite's log may take beside the file. One transaction may make it larger, by what it adds.
constexpr std::int64_t kLogBytes = 4 << 20;
// Pages that are kept free: for what one transaction adds, and the inner nodes of the tree.
constexpr std::int64_t kSparePages = 64;
constexpr int kPatienceMs = 100;

constexpr const char* kTable =
    "CREATE TABLE IF NOT EXISTS requests(id INTEGER PRIMARY KEY, signal INTEGER NOT NULL,"
    " tally TEXT NOT NULL, gzip INTEGER NOT NULL, body BLOB NOT NULL);"
    "CREATE INDEX IF NOT EXISTS requests_by_signal ON requests(signal, id)";

std::string text_of(const Tally& tally) {
  std::string text;
  for (const auto& kinds : tally.counts)
    for (const std::uint64_t count : kinds) text += fmt::format("{} ", count);
  return text;
}

// The way back; numbers that are missing are 0.
Tally tally_of(std::string_view text) {
  Tally tally;
  for (auto& kinds : tally.counts)
    for (std::uint64_t& count : kinds) {
      const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
      if (error != std::errc()) return tally;
      text.remove_prefix(static_cast<std::size_t>(end - text.data()));
      if (text.starts_with(' ')) text.remove_prefix(1);
    }
  return tally;
}

// What is in `before` and not in `after`.
Tally difference(const Tally& before, const Tally& after) {
  Tally result;
  for (std::size_t c = 0; c < before.counts.size(); ++c)
    for (std::size_t k = 0; k < Tally::kKinds; ++k)
      if (before.counts[c][k] > after.counts[c][k])
        result.counts[c][k] = before.counts[c][k] - after.counts[c][k];
  return result;
}

}  // namespace

Spool::Spool(std::string path, ByteSize max_bytes)
    : path_(std::move(path)),
      max_pages_((static_cast<std::int64_t>(max_bytes.bytes) - kLogBytes) / kPageBytes) {}

Status Spool::open() {
  if (database_) return {};
  Status opened = open_file();
  if (!opened && opened.error().fault == Fault::broken) opened = start_anew(opened.error());
  if (!opened) close();
  return opened;
}

Status Spool::open_file() {
  TRY(sql::prepare_file(path_));
  sqlite3* database = nullptr;
  const int code = sqlite3_open_v2(path_.c_str(), &database,
                                   SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, nullptr);
  database_.reset(database);
  if (code != SQLITE_OK) return std::unexpected(sql::error_of(database, "open " + path_));
  sqlite3_busy_timeout(database, kPatienceMs);
  TRY(set_up());
  TRY(prepare_statements());
  return count();
}

// Exclusive: a second agent with this spool would send everything once more.
Status Spool::set_up() {
  sqlite3* database = database_.get();
  const bool empty = TRY(sql::number_of(database, "SELECT count(*) FROM sqlite_master")) == 0;
  const auto owner = TRY(sql::number_of(database, "PRAGMA application_id"));
  const auto version = TRY(sql::number_of(database, "PRAGMA user_version"));
  if (!empty && (owner != kApplicationId || version != kVersion))
    return fail(Fault::denied, fmt::format("{} is no spool of this version of Tapio", path_));
  const std::string pragmas = fmt::format(
      "PRAGMA page_size = {0}; PRAGMA auto_vacuum = INCREMENTAL; PRAGMA locking_mode = EXCLUSIVE;"
      "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA cache_size = -256;"
      "PRAGMA journal_size_limit = {1}; PRAGMA wal_autocheckpoint = {2};"
      "PRAGMA application_id = {3}; PRAGMA user_version = {4}",
      kPageBytes, kLogBytes, kLogBytes / 4 / kPageBytes, kApplicationId, kVersion);
  TRY(sql::execute(database, pragmas.c_str()));
  return sql::execute(database, kTable);
}

Status Spool::prepare_statements() {
  sqlite3* database = database_.get();
  const auto prepare = [&](const char* text) { return sql::Statement::prepare(database, text); };
  statements_.insert =
      TRY(prepare("INSERT INTO requests(signal, tally, gzip, body) VALUES(?1, ?2, ?3, ?4)"));
  statements_.oldest = TRY(
      prepare("SELECT id, tally, gzip, body FROM requests WHERE signal = ?1 ORDER BY id LIMIT 1"));
  statements_.remove = TRY(prepare("DELETE FROM requests WHERE id = ?1 RETURNING signal, tally"));
  statements_.first = TRY(prepare("SELECT min(id) FROM requests"));
  statements_.pages = TRY(prepare("PRAGMA page_count"));
  statements_.free_pages = TRY(prepare("PRAGMA freelist_count"));
  return {};
}

// What is in the file: more than is known of is an earlier run's, what is not there is lost.
Status Spool::count() {
  auto all = TRY(sql::Statement::prepare(database_.get(), "SELECT signal, tally FROM requests"));
  const Tally before = std::exchange(held_, {});
  waiting_ = {};
  while (TRY(all.step())) {
    const auto signal = static_cast<std::size_t>(all.number(0));
    if (signal < kSignals) ++waiting_[signal];
    held_ += tally_of(all.text(1));
  }
  lost_ += difference(before, held_);
  found_ += difference(held_, before);
  return {};
}

Status Spool::start_anew(const Error& damage) {
  close();
  const auto aside = TRY(sql::put_aside(path_, Clocks::read().wall_ahead + monotonic_now()));
  log::error("sink otlp: {} is damaged ({}); it is now {}, and a new one is begun", path_,
             damage.what, aside);
  return open_file();
}

void Spool::close() {
  statements_ = {};
  database_.reset();
}

Status Spool::checked(Status status) {
  if (!status) close();
  return status;
}

Status Spool::put(std::span<const Request> requests) {
  if (requests.empty()) return {};
  TRY(open());
  return checked(insert_all(requests));
}

Status Spool::insert_all(std::span<const Request> requests) {
  std::uint64_t bytes = 0;
  for (const Request& request : requests) bytes += request.body.size() + kPageBytes;
  TRY(make_room(bytes));
  TRY(sql::execute(database_.get(), "BEGIN IMMEDIATE"));
  for (const Request& request : requests)
    TRY(statements_.insert.bind(static_cast<std::int64_t>(request.signal))
            .bind(text_of(request.tally))
            .bind(std::int64_t{request.gzip})
            .bind_blob(request.body)
            .run());
  TRY(sql::execute(database_.get(), "COMMIT"));
  for (const Request& request : requests) {
    ++waiting_[static_cast<std::size_t>(request.signal)];
    held_ += request.tally;
  }
  return {};
}

Result<std::int64_t> Spool::free_bytes() {
  const auto number = [](sql::Statement& statement) -> Result<std::int64_t> {
    TRY(statement.step());
    const std::int64_t value = statement.number(0);
    statement.reset();
    return value;
  };
  const std::int64_t pages = TRY(number(statements_.pages));
  const std::int64_t free_pages = TRY(number(statements_.free_pages));
  return (max_pages_ - kSparePages - (pages - free_pages)) * kPageBytes;
}

Status Spool::make_room(std::uint64_t bytes) {
  while (TRY(free_bytes()) < static_cast<std::int64_t>(bytes)) {
    if (is_empty()) return fail(Fault::exhausted, "a request is larger than the spool may be");
    TRY(drop_oldest());
  }
  return {};
}

Status Spool::drop_oldest() {
  TRY(statements_.first.step());
  const std::int64_t row = statements_.first.number(0);
  statements_.first.reset();
  const Tally before = held_;
  TRY(remove(row));
  lost_ += difference(before, held_);
  return {};
}

Result<std::optional<Spool::Entry>> Spool::oldest(Signal signal) {
  TRY(open());
  sql::Statement& oldest = statements_.oldest;
  const auto row = oldest.bind(static_cast<std::int64_t>(signal)).step();
  if (!row) return std::unexpected(checked(std::unexpected(row.error())).error());
  std::optional<Entry> entry;
  if (*row)
    entry = Entry{.row = oldest.number(0),
                  .request = {.signal = signal,
                              .tally = tally_of(oldest.text(1)),
                              .gzip = oldest.number(2) != 0,
                              .body = oldest.text(3)}};
  oldest.reset();
  return entry;
}

Status Spool::remove(std::int64_t row) {
  TRY(open());
  sql::Statement& remove = statements_.remove;
  const auto found = remove.bind(row).step();
  if (!found) return checked(std::unexpected(found.error()));
  if (*found) {
    const auto signal = static_cast<std::size_t>(remove.number(0));
    if (signal < kSignals && waiting_[signal] > 0) --waiting_[signal];
    held_ = difference(held_, tally_of(remove.text(1)));
  }
  TRY(checked(remove.run()));
  if (!is_empty()) return {};
  return checked(
      sql::execute(database_.get(), "PRAGMA incremental_vacuum; PRAGMA wal_checkpoint(TRUNCATE)"));
}

Tally Spool::take_found() {
  return std::exchange(found_, {});
}

Tally Spool::take_lost() {
  return std::exchange(lost_, {});
}

}  // namespace tapio::otlp
