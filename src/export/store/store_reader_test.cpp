// SPDX-License-Identifier: Apache-2.0
#include "store_reader.hpp"

#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>

#include "store_sink.hpp"

namespace tapio::store {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

constexpr SchemaOf kExec{"test.exec", Kind::event, "A program runs.",
                         Field{"test.path", Type::text, "Which.", "", "1"}};

class Readers : public testing::Test {
 protected:
  Readers() {
    std::string name = testing::TempDir() + "reader_XXXXXX";
    dir_ = ::mkdtemp(name.data());
    path_ = dir_ + "/tapio.db";
    sink_ = std::make_unique<StoreSink>(Config{.path = path_});
    Batch batch;
    for (std::uint64_t i = 0; i < 20; ++i) {
      batch.records.push_back(kExec({.time = 5s}, batch.arena.keep("/bin/true")));
      batch.records.back().id = {1, i};
    }
    EXPECT_TRUE(sink_->write(batch));
  }
  ~Readers() override { std::filesystem::remove_all(dir_); }

  Result<Rows> ask(std::string_view sql, const Limits& limits = {},
                   std::vector<Cell> parameters = {}) const {
    auto reader = Reader::open(path_);
    if (!reader) return std::unexpected(reader.error());
    return reader->query(sql, parameters, limits);
  }
  std::string refusal(std::string_view sql, const Limits& limits = {}) const {
    const auto rows = ask(sql, limits);
    EXPECT_FALSE(rows) << sql;
    return rows ? "" : rows.error().what;
  }

  std::string dir_, path_;
  std::unique_ptr<StoreSink> sink_;
};

TEST_F(Readers, give_rows_while_the_agent_writes_and_after_it_has_ended) {
  for (int i = 0; i < 2; ++i) {
    const auto rows = ask(R"(SELECT id, time, "test.path", NULL, 1.5 FROM "test.exec" LIMIT 1)");
    ASSERT_TRUE(rows) << rows.error().what;
    EXPECT_EQ(rows->columns[2], "test.path");
    const std::vector<Cell> first = {"00000001.0", "1970-01-01T00:00:05.000000000Z", "/bin/true",
                                     std::monostate(), 1.5};
    EXPECT_EQ(rows->rows[0], first);
    sink_.reset();
  }
}

TEST_F(Readers, say_that_there_is_more) {
  const auto rows = ask("SELECT id FROM records", {.rows = 5});
  ASSERT_TRUE(rows);
  EXPECT_EQ(rows->rows.size(), 5u);
  EXPECT_TRUE(rows->cut);
  EXPECT_FALSE(ask("SELECT id FROM records", {.rows = 20})->cut);
}

TEST_F(Readers, take_parameters) {
  const auto rows = ask("SELECT count(*) FROM records WHERE id = ? AND time_ns > ?", {},
                        {std::string("00000001.7"), std::int64_t{5}});
  ASSERT_TRUE(rows);
  EXPECT_EQ(std::get<std::int64_t>(rows->rows[0][0]), 1);
}

TEST_F(Readers, change_nothing_and_reach_no_other_file) {
  for (const char* sql :
       {"DELETE FROM records", "INSERT INTO runs VALUES(1,2,3,4,5,6)", "DROP TABLE records",
        "UPDATE records SET pid = 1", "ATTACH '/tmp/x.db' AS x", "PRAGMA journal_mode = DELETE",
        "PRAGMA query_only = OFF", "PRAGMA wal_checkpoint(TRUNCATE)", "CREATE TEMP TABLE t(a)",
        "BEGIN IMMEDIATE", "SELECT load_extension('/tmp/x.so')", "PRAGMA writable_schema = ON",
        "ANALYZE", "REINDEX"})
    EXPECT_THAT(refusal(sql), HasSubstr("only reading is possible")) << sql;
  EXPECT_THAT(refusal("VACUUM INTO '/tmp/y.db'"), HasSubstr("too many attached databases"));
  EXPECT_EQ(std::get<std::int64_t>(ask("SELECT count(*) FROM records")->rows[0][0]), 20);
  EXPECT_TRUE(ask("PRAGMA table_info(records)"));
}

TEST_F(Readers, take_one_statement_at_a_time) {
  EXPECT_THAT(refusal("SELECT 1; SELECT 2"), HasSubstr("one statement"));
  EXPECT_THAT(refusal(""), HasSubstr("give a SELECT"));
  EXPECT_THAT(refusal("-- nothing"), HasSubstr("give a SELECT"));
  EXPECT_THAT(refusal(std::string(Reader::kMaxSql + 1, ' ')), HasSubstr("longer than"));
  EXPECT_TRUE(ask("SELECT 1 ; \n"));
}

TEST_F(Readers, help_who_misspells) {
  EXPECT_THAT(refusal("SELECT * FROM test.exec"),
              HasSubstr("in double quotes it is there: \"test.exec\""));
  EXPECT_THAT(refusal("SELECT * FROM recrods"), HasSubstr("did you mean \"records\"?"));
  EXPECT_THAT(refusal("SELECT * FROM nothing_like_it"), HasSubstr("--tables"));
  EXPECT_THAT(refusal("SELECT cmm FROM records"), HasSubstr("lists the columns"));
  EXPECT_THAT(refusal("SELEC 1"), HasSubstr("syntax error"));
}

TEST_F(Readers, give_up_what_takes_too_long_or_was_interrupted) {
  constexpr const char* kEndless =
      "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n";
  EXPECT_THAT(refusal(kEndless, {.time = 1ms}), HasSubstr("given up after 1 ms"));
  EXPECT_EQ(refusal(kEndless, {.cancelled = [] { return true; }}), "interrupted");
}

TEST_F(Readers, bound_what_one_value_and_one_result_may_take) {
  EXPECT_THAT(refusal("SELECT zeroblob(20000000)"), HasSubstr("too big"));
  const auto rows =
      ask("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 50)"
          " SELECT printf('%4000000s', 'x') FROM n");
  ASSERT_TRUE(rows) << rows.error().what;
  EXPECT_TRUE(rows->cut);
  EXPECT_LE(rows->rows.size(), 18u);
}

TEST_F(Readers, list_tables_and_views_with_help) {
  const auto reader = Reader::open(path_);
  ASSERT_TRUE(reader);
  const auto tables = reader->tables();
  ASSERT_TRUE(tables) << tables.error().what;
  ASSERT_EQ(tables->size(), 3u);
  EXPECT_EQ((*tables)[2].name, "\"test.exec\"");
  EXPECT_EQ((*tables)[2].help, "A program runs.");
  EXPECT_EQ((*tables)[2].fields[0].help, "Which.");
  for (std::size_t i = 0; i < 2; ++i)
    for (const auto& field : (*tables)[i].fields)
      EXPECT_TRUE(reader->query("SELECT " + field.name + " FROM " + (*tables)[i].name, {}, {}))
          << field.name;
}

TEST_F(Readers, say_why_there_is_nothing_to_read) {
  EXPECT_EQ(Reader::open(dir_ + "/none.db").error().fault, Fault::unavailable);
  std::ofstream(dir_ + "/other.db")
      << "no database, but long enough to look like one ............" << std::string(2000, '.');
  EXPECT_FALSE(Reader::open(dir_ + "/other.db"));
  const std::ofstream empty(dir_ + "/empty.db");
  EXPECT_THAT(Reader::open(dir_ + "/empty.db").error().what, HasSubstr("is no store of Tapio"));
}

}  // namespace
}  // namespace tapio::store
