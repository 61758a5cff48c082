// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "export/database_file.hpp"
#include "store_layout.hpp"
#include "store_sink.hpp"

namespace tapio::store {
extern const SinkDescriptor descriptor;
namespace {

using namespace std::chrono_literals;
using std::chrono::nanoseconds;
using testing::HasSubstr;

constexpr SchemaOf kEvent{"test.event",
                          Kind::event,
                          "Something happened.",
                          Field{"test.number", Type::u64, "Which one.", "", "1"},
                          Field{"test.text", Type::text, "It's a text."},
                          Field{"test.ended", Type::duration, "How long."}};
constexpr SchemaOf kStory{"story", Kind::story, "", Field{"title", Type::text, ""},
                          Field{"entity", Type::text, ""}};
constexpr SchemaOf kInUnit{"test.unit", Kind::event, "", Field{"systemd.unit", Type::text, ""},
                           Field{"container.id", Type::text, ""}};

constexpr std::uint32_t kRun = 0x673e9a10;
constexpr nanoseconds kNow = std::chrono::seconds(1'764'000'000);

std::unique_ptr<Batch> batch(std::uint64_t first, std::size_t records, std::string_view text = "x",
                             nanoseconds time = kNow) {
  auto out = std::make_unique<Batch>();
  const auto& context =
      out->contexts.emplace_back(Context{.process_id = "12345678-7-9", .process_name = "it's"});
  for (std::size_t i = 0; i < records; ++i) {
    Record record = kEvent({.time = time, .pid = 7}, first + i, out->arena.keep(text), 1500ms);
    record.id = {.run = kRun, .number = first + i};
    record.context = &context;
    out->records.push_back(record);
  }
  return out;
}

std::unique_ptr<Batch> story(std::uint64_t number, nanoseconds time = kNow) {
  auto out = std::make_unique<Batch>();
  Record record =
      kStory({.time = time}, std::string_view("nginx died"), std::string_view("nginx (pid 7)"));
  record.id = {.run = kRun, .number = number};
  out->records.push_back(record);
  return out;
}

class Stores : public testing::Test {
 protected:
  Stores() {
    std::string name = testing::TempDir() + "store_XXXXXX";
    dir_ = ::mkdtemp(name.data());
    config_.path = dir_ + "/own/tapio.db";
  }
  ~Stores() override { std::filesystem::remove_all(dir_); }

  static void expect_written(StoreSink& sink, const Batch& batch) {
    const Status status = sink.write(batch);
    EXPECT_TRUE(status) << status.error().what;
  }
  Error refusal(StoreSink& sink) {
    const Status status = sink.write(*batch(900, 1));
    EXPECT_FALSE(status);
    return status ? Error{Fault::broken, ""} : status.error();
  }
  // What another program would see; rows by line, columns by a bar.
  std::string ask(const std::string& sql) const {
    sqlite3* opened = nullptr;
    const int code = sqlite3_open_v2(config_.path.c_str(), &opened, SQLITE_OPEN_READWRITE, nullptr);
    const sql::Connection database(opened);
    if (code != SQLITE_OK) return sqlite3_errmsg(opened);
    auto statement = sql::Statement::prepare(opened, sql);
    if (!statement) return statement.error().what;
    std::string out;
    for (auto row = statement->step(); row && *row; row = statement->step()) {
      for (int i = 0; i < sqlite3_column_count(statement->get()); ++i)
        out += (i > 0 ? "|" : "") + statement->text(i);
      out += '\n';
    }
    return out;
  }
  std::uint64_t bytes_on_disk() const {
    std::uint64_t sum = 0;
    for (const auto& entry : std::filesystem::directory_iterator(dir_ + "/own"))
      if (!entry.path().string().ends_with("-shm")) sum += entry.file_size();
    return sum;
  }

  std::string dir_;
  Config config_;
};

TEST_F(Stores, keep_records_in_a_file_that_only_its_owner_reads) {
  const auto previous = ::umask(0);
  StoreSink sink(config_);
  expect_written(sink, *batch(40, 3));
  ::umask(previous);
  struct stat info{};
  ASSERT_EQ(::stat((dir_ + "/own").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0700u);
  for (const char* suffix : {"", "-wal"}) {
    ASSERT_EQ(::stat((config_.path + suffix).c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 0777, 0600u) << suffix;
  }
  EXPECT_EQ(ask("SELECT id, time, time_ns, type, name, entity, pid, comm FROM records LIMIT 1"),
            "673e9a10.40|2025-11-24T16:00:00.000000000Z|1764000000000000000|event|test.event|"
            "12345678-7-9|7|it's\n");
}

TEST_F(Stores, have_a_view_with_a_column_for_each_field) {
  StoreSink sink(config_);
  expect_written(sink, *batch(1, 2, "it's \"quoted\""));
  EXPECT_EQ(ask(R"(SELECT id, "test.number", "test.text", "test.ended", "process.pid",
                   "process.executable.name" FROM "test.event" WHERE "test.number" = 2)"),
            "673e9a10.2|2|it's \"quoted\"|1.5|7|it's\n");
  EXPECT_EQ(ask("SELECT name, type, help FROM schemas"), "test.event|event|Something happened.\n");
  EXPECT_EQ(ask("SELECT position, field, type, unit, help FROM fields WHERE position < 3"),
            "1|test.number|u64|1|Which one.\n2|test.text|text||It's a text.\n");
}

TEST_F(Stores, replace_the_view_of_another_version) {
  {
    StoreSink sink(config_);
    expect_written(sink, *batch(1, 1));
  }
  ask("DROP VIEW \"test.event\"");
  ask("CREATE VIEW \"test.event\" AS SELECT id FROM records");
  StoreSink sink(config_);
  expect_written(sink, *batch(2, 1));
  EXPECT_EQ(ask(R"(SELECT "test.number" FROM "test.event")"), "1\n2\n");
}

TEST_F(Stores, can_be_searched_by_container_and_unit) {
  StoreSink sink(config_);
  Batch batch;
  batch.records.push_back(kInUnit({.time = kNow}, std::string_view(R"(dev-a\x2db"c.device)"),
                                  std::string_view("0123456789ab")));
  batch.records.front().id = {kRun, 1};
  expect_written(sink, batch);
  EXPECT_EQ(ask("SELECT container_id, unit FROM records"), "0123456789ab|dev-a\\x2db\"c.device\n");
  EXPECT_THAT(ask("EXPLAIN QUERY PLAN SELECT 1 FROM records WHERE unit = 'x' AND time_ns > 5"),
              HasSubstr("records_by_unit"));
  EXPECT_THAT(ask("EXPLAIN QUERY PLAN SELECT 1 FROM records WHERE pid = 3 AND time_ns > 5"),
              HasSubstr("records_by_pid"));
}

TEST_F(Stores, take_a_batch_once_however_often_it_is_offered) {
  StoreSink sink(config_);
  for (int i = 0; i < 3; ++i) expect_written(sink, *batch(1, 10));
  EXPECT_EQ(ask("SELECT count(*) FROM records"), "10\n");
}

TEST_F(Stores, gather_batches_into_one_transaction) {
  StoreSink sink(config_);
  EXPECT_EQ(sink.gathering().time, 500ms);
  EXPECT_EQ(sink.gathering().records, 1000u);
  const std::shared_ptr<const Batch> group[] = {batch(1, 2), story(3), batch(4, 2)};
  ASSERT_TRUE(sink.write_group(group));
  EXPECT_EQ(ask("SELECT count(*) FROM records"), "5\n");
  EXPECT_EQ(ask("SELECT run, last_id, records, ended IS NULL FROM runs"),
            "673e9a10|673e9a10.5|5|1\n");
}

TEST_F(Stores, note_whether_a_run_was_closed) {
  {
    StoreSink sink(config_);
    expect_written(sink, *batch(1, 2));
  }
  EXPECT_EQ(ask("SELECT ended FROM runs"), "closed\n");
  EXPECT_FALSE(std::filesystem::exists(config_.path + "-wal"));
  StoreSink sink(config_);
  ASSERT_TRUE(sink.open());
  EXPECT_EQ(ask("SELECT count(*) FROM records WHERE type = 'gap'"), "0\n");
}

// A child writes as fast as it can and says after each batch that it is in, while 100 records wait.
// It is killed in between: what it said is there, and the store says how many are missing, and from
// where on.
TEST_F(Stores, lose_nothing_that_was_taken_when_the_process_is_killed) {
  std::array<int, 2> ends;
  ASSERT_EQ(::pipe(ends.data()), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    StoreSink sink(config_);
    sink.on_queued(*batch(1'000'000, 100));
    for (std::uint64_t i = 0;; ++i) {
      const auto next = batch(i * 100, 100);
      sink.on_queued(*next);
      if (!sink.write(*next) || ::write(ends[1], &i, sizeof i) != sizeof i) break;
    }
    ::_exit(1);
  }
  ::close(ends[1]);
  std::uint64_t taken = 0;
  while (taken < 20 && ::read(ends[0], &taken, sizeof taken) == sizeof taken) {
  }
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  while (::read(ends[0], &taken, sizeof taken) == sizeof taken) {
  }
  ::close(ends[0]);
  ASSERT_GE(taken, 20u);

  testing::internal::CaptureStderr();
  StoreSink sink(config_);
  ASSERT_TRUE(sink.open());
  const std::string said = testing::internal::GetCapturedStderr();
  const auto last = std::stoull(ask("SELECT count(*) - 1 FROM records WHERE type = 'event'"));
  EXPECT_TRUE(last == taken * 100 + 99 || last == taken * 100 + 199) << last << " " << taken;
  const auto lost =
      std::stoull(ask("SELECT json_extract(body, '$.count') FROM records WHERE name = 'gap'"));
  EXPECT_TRUE(lost == 100 || lost == 200) << lost;
  EXPECT_THAT(said, HasSubstr(fmt::format("{} records after 673e9a10.{} of", lost, last)));
  EXPECT_EQ(ask("SELECT id, json_extract(body, '$.reason') FROM records WHERE name = 'gap'"),
            fmt::format("673e9a10.{}+|not_closed\n", last));
  EXPECT_EQ(ask("SELECT ended FROM runs"), "not closed\n");
  EXPECT_EQ(ask("PRAGMA integrity_check"), "ok\n");
}

TEST_F(Stores, a_story_that_was_told_again_takes_the_place_of_the_earlier_one) {
  StoreSink sink(config_);
  expect_written(sink, *story(1));
  const auto before = ask("SELECT count(*), max(body) FROM records");
  const auto again = story(1);
  again->records.front().values[0] = std::string_view("it was started again");
  expect_written(sink, *again);
  EXPECT_EQ(ask("SELECT count(*) FROM records"), "1\n");
  EXPECT_THAT(ask("SELECT body FROM records"), HasSubstr("it was started again"));
  EXPECT_NE(ask("SELECT count(*), max(body) FROM records"), before);
}

TEST_F(Stores, hold_their_size_under_a_storm_and_keep_stories_longest) {
  config_.max_bytes = {10 << 20};
  StoreSink sink(config_);
  expect_written(sink, *story(1));
  const std::string text(500, 'x');
  std::uint64_t most = 0;
  for (std::uint64_t i = 1; i <= 30; ++i) {
    expect_written(sink, *batch(i * 1000, 1000, text));
    most = std::max(most, bytes_on_disk());
  }
  EXPECT_LE(most, config_.max_bytes.bytes);
  EXPECT_GT(most, config_.max_bytes.bytes / 2);
  EXPECT_EQ(ask("SELECT id FROM records WHERE type = 'story'"), "673e9a10.1\n");
  EXPECT_EQ(ask("SELECT max(CAST(substr(id, 10) AS INTEGER)) FROM records"), "30999\n");
  EXPECT_EQ(ask("PRAGMA integrity_check"), "ok\n");
}

TEST_F(Stores, shrink_when_they_may_have_less_than_before) {
  const std::string text(500, 'x');
  {
    StoreSink sink(config_);
    for (std::uint64_t i = 0; i < 20; ++i) expect_written(sink, *batch(i * 1000, 1000, text));
  }
  ASSERT_GT(bytes_on_disk(), 16u << 20);
  config_.max_bytes = {8 << 20};
  StoreSink sink(config_);
  for (std::uint64_t i = 100; i < 140; ++i) expect_written(sink, *batch(i * 1000, 10));
  EXPECT_LE(bytes_on_disk(), config_.max_bytes.bytes);
}

TEST_F(Stores, take_over_smaller_bounds_while_they_run) {
  const std::string text(500, 'x');
  StoreSink sink(config_);
  for (std::uint64_t i = 0; i < 20; ++i) expect_written(sink, *batch(i * 1000, 1000, text));
  ASSERT_GT(bytes_on_disk(), 9u << 20);
  auto settings = config::section<Config>();
  settings->as<Config>().path = dir_ + "/elsewhere/tapio.db";  // needs a restart
  settings->as<Config>().max_bytes = {8 << 20};
  settings->as<Config>().max_age = 1h;
  sink.on_settings(*settings);
  for (std::uint64_t i = 100; i < 140; ++i) expect_written(sink, *batch(i * 1000, 10));
  EXPECT_LE(bytes_on_disk(), 8u << 20);
  expect_written(sink, *batch(200'000, 1, "x", kNow + 2h));
  EXPECT_EQ(ask("SELECT count(*) FROM records"), "1\n") << "what is older than an hour is gone";
  EXPECT_EQ(ask("SELECT count(*) FROM runs"), "1\n");
  EXPECT_FALSE(std::filesystem::exists(dir_ + "/elsewhere"));
}

TEST_F(Stores, drop_what_is_too_old_but_stories_later) {
  config_.max_age = 1h;
  config_.max_story_age = 3h;
  StoreSink sink(config_);
  expect_written(sink, *batch(1, 600));
  expect_written(sink, *story(1000));
  expect_written(sink, *batch(2000, 1, "x", kNow + 2h));
  EXPECT_EQ(ask("SELECT id FROM records ORDER BY rowid"), "673e9a10.1000\n673e9a10.2000\n");
  expect_written(sink, *batch(3000, 1, "x", kNow + 4h));
  EXPECT_EQ(ask("SELECT id FROM records"), "673e9a10.3000\n");
}

TEST_F(Stores, keep_new_records_when_the_clock_is_set_back) {
  config_.max_bytes = {12 << 20};
  StoreSink sink(config_);
  const std::string text(500, 'x');
  for (std::uint64_t i = 0; i < 10; ++i) expect_written(sink, *batch(i * 1000, 1000, text));
  for (std::uint64_t i = 10; i < 14; ++i)
    expect_written(sink, *batch(i * 1000, 1000, text, kNow - 24h));
  EXPECT_EQ(ask("SELECT count(*) FROM records WHERE CAST(substr(id, 10) AS INTEGER) >= 10000"),
            "4000\n");
}

TEST_F(Stores, can_be_read_while_they_are_written) {
  StoreSink sink(config_);
  expect_written(sink, *batch(1, 10));
  sqlite3* opened = nullptr;
  ASSERT_EQ(sqlite3_open_v2(config_.path.c_str(), &opened, SQLITE_OPEN_READONLY, nullptr),
            SQLITE_OK);
  const sql::Connection reader(opened);
  auto rows = sql::Statement::prepare(opened, "SELECT id FROM records");
  ASSERT_TRUE(rows && rows->step());
  expect_written(sink, *batch(20, 10));
  int seen = 1;
  for (auto row = rows->step(); row && *row; row = rows->step()) ++seen;
  EXPECT_EQ(seen, 10);
  EXPECT_EQ(sql::number_of(opened, "SELECT count(*) FROM records"), 20);
}

// Somebody who begins to read and never ends: the log cannot be emptied, so it must not grow.
TEST_F(Stores, do_not_let_a_reader_make_the_log_grow_without_bound) {
  config_.max_bytes = {8 << 20};
  StoreSink sink(config_);
  expect_written(sink, *batch(1, 10));
  sqlite3* opened = nullptr;
  sqlite3_open_v2(config_.path.c_str(), &opened, SQLITE_OPEN_READONLY, nullptr);
  sql::Connection reader(opened);
  auto rows = sql::Statement::prepare(opened, "SELECT id FROM records");
  ASSERT_TRUE(rows && rows->step());
  const std::string text(500, 'x');
  Status status;
  for (std::uint64_t i = 1; i < 30 && status; ++i)
    status = sink.write(*batch(i * 1000, 1000, text));
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().fault, Fault::unavailable);
  EXPECT_THAT(status.error().what, HasSubstr("another process reads"));
  EXPECT_LE(sql::log_bytes(config_.path), 8u << 20);
  rows = sql::Statement();
  reader.reset();
  expect_written(sink, *batch(90000, 10));
  EXPECT_LE(sql::log_bytes(config_.path), 4u << 20);
}

TEST_F(Stores, wait_for_another_writer_for_a_while_and_go_on_later) {
  StoreSink sink(config_);
  expect_written(sink, *batch(1, 1));
  sqlite3* opened = nullptr;
  sqlite3_open_v2(config_.path.c_str(), &opened, SQLITE_OPEN_READWRITE, nullptr);
  const sql::Connection other(opened);
  ASSERT_TRUE(sql::execute(opened, "BEGIN IMMEDIATE"));
  const Error busy = refusal(sink);
  EXPECT_EQ(busy.fault, Fault::unavailable) << busy.what;
  ASSERT_TRUE(sql::execute(opened, "ROLLBACK"));
  expect_written(sink, *batch(2, 1));
  EXPECT_EQ(ask("SELECT count(*) FROM records"), "2\n");
}

TEST_F(Stores, do_not_follow_links_or_use_files_of_others) {
  const std::string target = dir_ + "/target";
  std::ofstream(target) << "mine\n";
  std::filesystem::create_directory(dir_ + "/own");
  std::filesystem::create_symlink(target, config_.path);
  StoreSink sink(config_);
  EXPECT_EQ(refusal(sink).fault, Fault::denied);
  std::filesystem::remove(config_.path);
  std::filesystem::create_hard_link(target, config_.path);
  EXPECT_EQ(refusal(sink).fault, Fault::denied);
  std::filesystem::remove(config_.path);
  ::mkfifo(config_.path.c_str(), 0600);
  EXPECT_EQ(refusal(sink).fault, Fault::denied);
  std::filesystem::remove(config_.path);
  ::chmod((dir_ + "/own").c_str(), 0777);
  EXPECT_THAT(refusal(sink).what, HasSubstr("others may write"));
  ::chmod((dir_ + "/own").c_str(), 0700);
  expect_written(sink, *batch(1, 1));
}

TEST_F(Stores, put_a_damaged_file_aside_and_begin_a_new_one) {
  std::filesystem::create_directory(dir_ + "/own");
  std::ofstream(config_.path) << std::string(100'000, 'z');
  std::ofstream(config_.path + ".corrupt-1") << "older";
  testing::internal::CaptureStderr();
  StoreSink sink(config_);
  expect_written(sink, *batch(1, 2));
  EXPECT_THAT(testing::internal::GetCapturedStderr(), HasSubstr("is damaged"));
  EXPECT_EQ(ask("SELECT count(*) FROM records"), "2\n");
  std::vector<std::string> aside;
  for (const auto& entry : std::filesystem::directory_iterator(dir_ + "/own"))
    if (entry.path().string().contains(".corrupt-")) aside.push_back(entry.path());
  ASSERT_EQ(aside.size(), 1u) << "one copy is kept, the last";
  EXPECT_EQ(std::filesystem::file_size(aside[0]), 100'000u);
}

TEST_F(Stores, notice_damage_that_is_met_when_a_record_is_written) {
  {
    StoreSink sink(config_);
    for (std::uint64_t i = 0; i < 5; ++i) expect_written(sink, *batch(i * 1000, 1000));
  }
  const auto size = std::filesystem::file_size(config_.path);
  std::fstream file(config_.path, std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(4096) << std::string(size - 4096, 'z');
  file.close();
  testing::internal::CaptureStderr();
  StoreSink sink(config_);
  const Status status = sink.write(*batch(10'000, 1));
  EXPECT_THAT(testing::internal::GetCapturedStderr(), HasSubstr("is damaged"));
  EXPECT_TRUE(status || status.error().fault == Fault::unavailable) << status.error().what;
  expect_written(sink, *batch(20'000, 1));
  EXPECT_EQ(ask("SELECT max(id) FROM records"), "673e9a10.20000\n");
}

TEST_F(Stores, begin_anew_when_the_file_or_its_directory_is_deleted) {
  StoreSink sink(config_);
  expect_written(sink, *batch(1, 1));
  std::filesystem::remove(config_.path);
  expect_written(sink, *batch(2, 1));
  EXPECT_EQ(ask("SELECT id FROM records"), "673e9a10.2\n");
  std::filesystem::remove_all(dir_ + "/own");
  expect_written(sink, *batch(3, 1));
  EXPECT_EQ(ask("SELECT id FROM records"), "673e9a10.3\n");
}

TEST_F(Stores, wait_for_a_directory_that_is_not_there_yet) {
  config_.path = dir_ + "/later/own/tapio.db";
  StoreSink sink(config_);
  EXPECT_EQ(refusal(sink).fault, Fault::unavailable);
  std::filesystem::create_directory(dir_ + "/later");
  expect_written(sink, *batch(1, 1));
}

TEST_F(Stores, refuse_the_file_of_a_newer_version_and_of_other_programs) {
  {
    StoreSink sink(config_);
    expect_written(sink, *batch(1, 1));
  }
  ask("PRAGMA user_version = 2");
  StoreSink sink(config_);
  const Error newer = refusal(sink);
  EXPECT_EQ(newer.fault, Fault::unsupported);
  EXPECT_THAT(newer.what, HasSubstr("written by a newer Tapio (layout 2, this one knows 1)"));
  ask("PRAGMA user_version = 1");
  ask("PRAGMA application_id = 5");
  EXPECT_THAT(refusal(sink).what, HasSubstr("another program"));
  EXPECT_EQ(ask("SELECT count(*) FROM records"), "1\n");
}

TEST(StoreLayout, reads_members_of_an_object_and_not_text_that_looks_like_one) {
  const std::string_view body = R"({"a":"x\",\"container.id\":\"no","container.id":"yes"})";
  EXPECT_EQ(member_text(body, "container.id"), "yes");
  EXPECT_EQ(member_text(body, "systemd.unit"), "");
  EXPECT_EQ(member_text(R"({"a":"cut\)", "a"), "cut\\");
}

TEST(StoreDescriptor, is_on_by_default_and_starts_without_its_file) {
  EXPECT_EQ(descriptor.name, "store");
  const auto settings = descriptor.settings();
  EXPECT_EQ(settings->as<Config>().path, "/var/lib/tapio/tapio.db");
  EXPECT_TRUE(settings->as<Config>().enabled);
  settings->as<Config>().path = "/nonexistent/own/tapio.db";
  testing::internal::CaptureStderr();
  const auto made = descriptor.make(*settings);
  EXPECT_THAT(testing::internal::GetCapturedStderr(), HasSubstr("the agent goes on"));
  ASSERT_TRUE(made);
  EXPECT_NE(*made, nullptr);
  settings->as<Config>().path = "tapio.db";
  EXPECT_FALSE(settings->check());
  settings->as<Config>().enabled = false;
  EXPECT_EQ(*descriptor.make(*settings), nullptr);
}

}  // namespace
}  // namespace tapio::store
