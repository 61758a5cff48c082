// SPDX-License-Identifier: Apache-2.0
#include "store_sink.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "base/log.hpp"
#include "export/database_file.hpp"
#include "record/gap.hpp"
#include "record/json.hpp"
#include "store_layout.hpp"

namespace tapio::store {

namespace {

using std::chrono::nanoseconds;

constexpr std::int64_t kPageBytes = 4096;
constexpr std::uint64_t kLeastLog = 4 << 20;
constexpr std::uint64_t kMostLog = 16 << 20;
// Oldest records go in steps of so many, at most so many steps in one transaction.
constexpr std::int64_t kStep = 256;
constexpr int kMaxSteps = 32;
// Free pages that are given back to the file system after one transaction.
constexpr int kPagesGivenBack = 256;
constexpr std::int64_t kMaxRuns = 1000;
constexpr nanoseconds kAgeEvery = std::chrono::seconds(10);

std::uint64_t log_limit(const Config& config) {
  return std::clamp(config.max_bytes.bytes / 8, kLeastLog, kMostLog);
}

// Both are within max_bytes; a sixteenth of the file is for what one transaction adds.
std::int64_t page_limit(const Config& config) {
  const std::uint64_t file = config.max_bytes.bytes - log_limit(config);
  return static_cast<std::int64_t>(file - file / 16) / kPageBytes;
}

// A batch may come again after an error, and a story that has got longer under the id it had.
constexpr const char* kInsert =
    "INSERT INTO records(id, time_ns, type, name, entity, pid, comm, container_id, unit, body)"
    " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)"
    " ON CONFLICT(id) DO UPDATE SET body = excluded.body";
constexpr const char* kRun =
    "INSERT INTO runs(run, first_time, last_time, last_id, records) VALUES(?1, ?2, ?3, ?4, ?5)"
    " ON CONFLICT(run) DO UPDATE SET last_time = excluded.last_time, last_id = excluded.last_id,"
    " records = records + excluded.records, ended = NULL";
// Events, metrics and gaps, by the order in which they came: the clock may have been set back
// meanwhile. ?1 is what was dropped last, so that the stories before it are not looked at again.
constexpr const char* kOldestEvents =
    "SELECT max(rowid), max(time_ns) FROM (SELECT rowid, time_ns FROM records WHERE rowid > ?1"
    " AND type NOT IN ('finding', 'story') ORDER BY rowid LIMIT ?2)";
constexpr const char* kDropEvents =
    "DELETE FROM records WHERE rowid > ?1 AND rowid <= ?2"
    " AND type NOT IN ('finding', 'story') AND time_ns < ?3";
constexpr const char* kDropOldest =
    "DELETE FROM records WHERE rowid IN (SELECT rowid FROM records ORDER BY rowid LIMIT ?1)";
constexpr const char* kDropOldStories =
    "DELETE FROM records WHERE rowid IN (SELECT rowid FROM records INDEXED BY records_kept_longer"
    " WHERE type IN ('finding', 'story') AND time_ns < ?2 LIMIT ?1)";

// Whom it is about: the stable id of the process, or what a story or a finding says.
std::string_view entity_of(const Record& record) {
  const auto named = text_of(record, "entity");
  if (!named.empty() || !record.context) return named;
  return record.context->process_id;
}

std::string_view comm_of(const Record& record) {
  const auto named = text_of(record, "process.executable.name");
  if (!named.empty() || !record.context) return named;
  return record.context->process_name;
}

}  // namespace

StoreSink::StoreSink(const Config& config)
    : config_(config), log_limit_(log_limit(config)), page_limit_(page_limit(config)) {}

StoreSink::~StoreSink() {
  if (!database_) return;
  const std::string mark =
      fmt::format("UPDATE runs SET ended = 'closed' WHERE run = '{}'", own_run_);
  if (const Status marked = sql::execute(database_.get(), mark.c_str()); !marked)
    log::warning("sink store: the end of this run is not noted: {}", marked.error().what);
  close();
}

void StoreSink::close() {
  statements_ = {};
  views_.clear();
  dropped_ = 0;
  database_.reset();
}

Status StoreSink::open() {
  if (database_) return {};
  Status opened = open_file();
  if (!opened && opened.error().fault == Fault::broken) opened = start_anew(opened.error());
  if (!opened) close();
  return opened;
}

Status StoreSink::open_file() {
  TRY(sql::prepare_file(config_.path));
  sqlite3* database = nullptr;
  const int code = sqlite3_open_v2(config_.path.c_str(), &database,
                                   SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, nullptr);
  database_.reset(database);
  if (code != SQLITE_OK)
    return std::unexpected(sql::error_of(database_.get(), "open " + config_.path));
  sqlite3_busy_timeout(database_.get(), kPatienceMs);
  TRY(set_up());
  TRY(prepare_statements());
  if (const auto given = mark_.open(config_.path + ".mark")) given_ = given;
  return report_unclean_end();
}

Status StoreSink::start_anew(const Error& damage) {
  close();
  const auto aside = TRY(sql::put_aside(config_.path, Clocks::read().wall_ahead + monotonic_now()));
  log::error("sink store: {} is damaged ({}); it is now {}, and a new one is begun", config_.path,
             damage.what, aside);
  return open_file();
}

// True: the file is empty.
Result<bool> StoreSink::check_whose() {
  sqlite3* database = database_.get();
  if (TRY(sql::number_of(database, "SELECT count(*) FROM sqlite_master")) == 0) return true;
  const auto owner = TRY(sql::number_of(database, "PRAGMA application_id"));
  const auto version = TRY(sql::number_of(database, "PRAGMA user_version"));
  if (owner != kApplicationId)
    return fail(Fault::denied, fmt::format("{} is the database of another program", config_.path));
  if (version > kVersion)
    return fail(Fault::unsupported,
                fmt::format("{} was written by a newer Tapio (layout {}, this one knows {}): move "
                            "it away, or give another path",
                            config_.path, version, kVersion));
  return false;
}

Status StoreSink::set_up() {
  sqlite3* database = database_.get();
  const bool empty = TRY(check_whose());
  const std::string pragmas = fmt::format(
      "PRAGMA page_size = {}; PRAGMA auto_vacuum = INCREMENTAL; PRAGMA journal_mode = WAL;"
      "PRAGMA synchronous = NORMAL; PRAGMA cache_size = -1024; PRAGMA temp_store = MEMORY;"
      "PRAGMA journal_size_limit = {}; PRAGMA wal_autocheckpoint = {}",
      kPageBytes, log_limit_, log_limit_ / 4 / kPageBytes);
  TRY(sql::execute(database, pragmas.c_str()));
  TRY(sql::execute(database, "BEGIN IMMEDIATE"));
  TRY(sql::execute(database, kTables));
  const std::string whose =
      fmt::format("PRAGMA application_id = {}; PRAGMA user_version = {}", kApplicationId, kVersion);
  if (empty) TRY(sql::execute(database, whose.c_str()));
  return sql::execute(database, "COMMIT");
}

Status StoreSink::prepare_statements() {
  sqlite3* database = database_.get();
  const std::pair<sql::Statement*, const char*> all[] = {
      {&statements_.insert, kInsert},
      {&statements_.run, kRun},
      {&statements_.pages, "PRAGMA page_count"},
      {&statements_.free_pages, "PRAGMA freelist_count"},
      {&statements_.oldest_events, kOldestEvents},
      {&statements_.drop_events, kDropEvents},
      {&statements_.drop_oldest, kDropOldest},
      {&statements_.drop_old_stories, kDropOldStories}};
  for (const auto& [statement, sql] : all) *statement = TRY(sql::Statement::prepare(database, sql));
  return {};
}

// An earlier run that has not said that it closed was killed, or the machine went down.
Status StoreSink::report_unclean_end() {
  auto open_runs = TRY(sql::Statement::prepare(
      database_.get(), "SELECT run, last_id, last_time, records FROM runs WHERE ended IS NULL"));
  std::vector<OpenRun> found;
  while (TRY(open_runs.step()))
    found.push_back({.run = open_runs.text(0),
                     .last_id = open_runs.text(1),
                     .last_time = open_runs.text(2),
                     .records = static_cast<std::uint64_t>(open_runs.number(3))});
  open_runs.reset();
  for (const auto& run : found)
    if (run.run != own_run_) TRY(note_loss(run));
  return {};
}

// A gap behind the last record of a run that was killed. How many are missing is what it was given
// beyond what it kept; without a mark of that run it is not known.
Status StoreSink::note_loss(const OpenRun& run) {
  std::optional<std::uint64_t> lost;
  if (given_ && fmt::format("{:08x}", given_->run) == run.run)
    lost = given_->records - std::min(given_->records, run.records);
  log::warning("sink store: the run {} ended without closing; {} after {} of {} {} missing",
               run.run,
               lost ? fmt::format("{} records", *lost)
                    : fmt::format("its records of some {} ms", kGathering.time.count()),
               run.last_id, run.last_time, lost == 1u ? "is" : "are");
  auto mark = TRY(sql::Statement::prepare(database_.get(),
                                          "UPDATE runs SET ended = 'not closed' WHERE run = ?1"));
  TRY(mark.bind(run.run).run());
  if (lost == 0u) return {};
  auto note = TRY(sql::Statement::prepare(
      database_.get(),
      "INSERT OR IGNORE INTO records(id, time_ns, type, name, body)"
      " SELECT id || '+', time_ns, 'gap', 'gap', json_patch(json_object('type', 'gap', 'name', "
      "'gap', 'time', time, 'id', id || '+', 'observer', '*', 'class', '*', 'stage', 'sink:store',"
      " 'reason', 'not_closed', 'from', time), json_object('count', ?2)) FROM records"
      " WHERE id = ?1"));
  return note.bind(run.last_id)
      .bind_number_or_null(static_cast<std::int64_t>(lost.value_or(0)))
      .run();
}

void StoreSink::on_settings(const config::Section& settings) {
  const auto& config = settings.as<Config>();
  config_.max_bytes = config.max_bytes;
  config_.max_age = config.max_age;
  config_.max_story_age = config.max_story_age;
  log_limit_ = log_limit(config_);
  page_limit_ = page_limit(config_);
  aged_ = {};
  close();
}

void StoreSink::on_queued(const Batch& batch) {
  if (!batch.records.empty()) mark_.add(batch.records.front().id.run, batch.records.size());
}

Status StoreSink::write(const Batch& batch) {
  const std::array<const Batch*, 1> one{&batch};
  return write_all(one);
}

Status StoreSink::write_group(Group group) {
  std::vector<const Batch*> batches;
  for (const auto& batch : group) batches.push_back(batch.get());
  return write_all(batches);
}

Status StoreSink::write_all(std::span<const Batch* const> batches) {
  TRY(check_file_is_there());
  TRY(open());
  TRY(check_log());
  Status done = transaction(batches);
  if (done) done = shrink();
  if (done) return {};
  Error error = std::move(done).error();
  if (error.fault == Fault::broken)
    if (const Status begun = start_anew(error); !begun) error = begun.error();
  // The file may be another one when the next attempt comes.
  close();
  if (error.fault == Fault::broken) error.fault = Fault::unavailable;
  return std::unexpected(std::move(error));
}

// Somebody has deleted or replaced it: what goes on being written would vanish with the last user.
Status StoreSink::check_file_is_there() {
  if (!database_) return {};
  int moved = 0;
  sqlite3_file_control(database_.get(), "main", SQLITE_FCNTL_HAS_MOVED, &moved);
  if (moved == 0) return {};
  log::warning("sink store: {} was taken away; a new one is begun", config_.path);
  close();
  return {};
}

// Waits so long for readers.
void StoreSink::empty_log(int patience_ms) {
  sqlite3_busy_timeout(database_.get(), patience_ms);
  sqlite3_wal_checkpoint_v2(database_.get(), nullptr, SQLITE_CHECKPOINT_TRUNCATE, nullptr, nullptr);
  sqlite3_busy_timeout(database_.get(), kPatienceMs);
}

// A reader that does not end keeps the log from being emptied, and so from being bounded.
Status StoreSink::check_log() {
  if (sql::log_bytes(config_.path) <= log_limit_) return {};
  empty_log(kPatienceMs);
  if (sql::log_bytes(config_.path) <= log_limit_) return {};
  return fail(Fault::unavailable,
              fmt::format("{}-wal is full: another process reads {} all the time", config_.path,
                          config_.path));
}

Status StoreSink::transaction(std::span<const Batch* const> batches) {
  TRY(sql::execute(database_.get(), "BEGIN IMMEDIATE"));
  Written written;
  for (const Batch* batch : batches)
    for (const Record& record : batch->records) TRY(add(record, *batch, written));
  if (written.records > 0) TRY(add_run(written));
  TRY(make_room());
  TRY(drop_old(written.last_time));
  TRY(sql::execute(database_.get(), "COMMIT"));
  if (written.records > 0) own_run_ = written.last.text().substr(0, 8);
  return {};
}

Status StoreSink::add(const Record& record, const Batch& batch, Written& written) {
  TRY(add_view(*record.schema));
  const nanoseconds time = wall_time(record.origin.time, batch.clocks);
  body_.clear();
  append_json(body_, record, batch.clocks);
  const std::string id = record.id.text();
  const std::string container = member_text(body_, "container.id");
  const std::string unit = member_text(body_, "systemd.unit");
  TRY(statements_.insert.bind(id)
          .bind(time.count())
          .bind(name(record.schema->kind))
          .bind(record.schema->name)
          .bind_text_or_null(entity_of(record))
          .bind_number_or_null(record.origin.pid)
          .bind_text_or_null(comm_of(record))
          .bind_text_or_null(container)
          .bind_text_or_null(unit)
          .bind(body_)
          .run());
  if (written.records++ == 0) written.first_time = time;
  written.last = std::max(written.last, record.id);  // a story may come again
  written.last_time = std::max(written.last_time, time);
  return {};
}

// A schema that is new, or other than the one of the version before.
Status StoreSink::add_view(const Schema& schema) {
  if (views_.contains(&schema)) return {};
  sqlite3* database = database_.get();
  const std::string view = view_of(schema);
  auto known = TRY(sql::Statement::prepare(
      database,
      "SELECT count(*) FROM sqlite_master WHERE type = 'view' AND name = ?1 AND sql = ?2"));
  known.bind(schema.name).bind(view);
  TRY(known.step());
  const bool same = known.number(0) > 0;
  known.reset();
  if (!same) {
    TRY(sql::execute(database, ("DROP VIEW IF EXISTS " + quoted(schema.name)).c_str()));
    TRY(sql::execute(database, view.c_str()));
  }
  auto about =
      TRY(sql::Statement::prepare(database, "INSERT OR REPLACE INTO schemas VALUES(?1, ?2, ?3)"));
  TRY(about.bind(schema.name).bind(name(schema.kind)).bind(schema.help).run());
  auto gone = TRY(sql::Statement::prepare(database, "DELETE FROM fields WHERE name = ?1"));
  TRY(gone.bind(schema.name).run());
  auto row =
      TRY(sql::Statement::prepare(database, "INSERT INTO fields VALUES(?1, ?2, ?3, ?4, ?5, ?6)"));
  std::int64_t position = 0;
  for (const Field& field : schema.fields)
    TRY(row.bind(schema.name)
            .bind(++position)
            .bind(field.name)
            .bind(name(field.type))
            .bind(field.unit)
            .bind(field.help)
            .run());
  views_.insert(&schema);
  return {};
}

Status StoreSink::add_run(const Written& written) {
  const std::string last_id = written.last.text();
  const std::string first_time = rfc3339(written.first_time);
  const std::string last_time = rfc3339(written.last_time);
  TRY(statements_.run.bind(std::string_view(last_id).substr(0, 8))
          .bind(first_time)
          .bind(last_time)
          .bind(last_id)
          .bind(static_cast<std::int64_t>(written.records))
          .run());
  if (!own_run_.empty()) return {};
  const std::string forget =
      fmt::format("DELETE FROM runs WHERE rowid <= (SELECT max(rowid) FROM runs) - {}", kMaxRuns);
  return sql::execute(database_.get(), forget.c_str());
}

Result<std::int64_t> StoreSink::used_pages() {
  TRY(statements_.pages.step());
  const std::int64_t pages = statements_.pages.number(0);
  statements_.pages.reset();
  TRY(statements_.free_pages.step());
  const std::int64_t free = statements_.free_pages.number(0);
  statements_.free_pages.reset();
  return pages - free;
}

// The oldest of them, one step, as far as they are older than `end`. False: there was none.
Result<bool> StoreSink::drop_events(nanoseconds end) {
  statements_.oldest_events.bind(dropped_).bind(kStep);
  TRY(statements_.oldest_events.step());
  const std::int64_t last = statements_.oldest_events.number(0);  // NULL is 0
  const bool all = statements_.oldest_events.number(1) < end.count();
  statements_.oldest_events.reset();
  if (last == 0) return std::exchange(dropped_, 0) > 0;  // numbers begin anew in an empty table
  TRY(statements_.drop_events.bind(dropped_).bind(last).bind(end.count()).run());
  if (all) dropped_ = last;
  return sql::changes(database_.get()) > 0;
}

// Before the commit, so that the file never has more than it may.
Status StoreSink::make_room() {
  for (int i = 0; i < kMaxSteps && TRY(used_pages()) > page_limit_; ++i)
    if (!TRY(drop_events(nanoseconds::max()))) TRY(statements_.drop_oldest.bind(kStep).run());
  return {};
}

// A clock that is set forward for a moment makes all old: so much goes at most, each time.
Status StoreSink::drop_old(nanoseconds now) {
  if (now >= aged_ && now < aged_ + kAgeEvery) return {};
  aged_ = now;
  for (int i = 0; i < kMaxSteps; ++i)
    if (!TRY(drop_events(now - config_.max_age))) break;
  const auto end = (now - config_.max_story_age).count();
  return statements_.drop_old_stories.bind(kStep).bind(end).run();
}

// The log is emptied before it is full, as far as readers let it; free pages go back when a lower
// limit was configured, and when much was dropped.
Status StoreSink::shrink() {
  if (sql::log_bytes(config_.path) > log_limit_ / 2) empty_log(0);
  TRY(statements_.free_pages.step());
  const std::int64_t free = statements_.free_pages.number(0);
  statements_.free_pages.reset();
  if (free <= page_limit_ / 8) return {};
  return sql::execute(database_.get(),
                      fmt::format("PRAGMA incremental_vacuum({})", kPagesGivenBack).c_str());
}

}  // namespace tapio::store
