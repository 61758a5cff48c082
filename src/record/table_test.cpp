// SPDX-License-Identifier: Apache-2.0
#include "record/table.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <ctime>

#include "base/text.hpp"
#include "record/human.hpp"

namespace tapio {
namespace {

using namespace std::chrono_literals;

constexpr SchemaOf kExec{
    "test.exec",
    Kind::event,
    "A program was run.",
    Field{"process.parent_pid", Type::u64, "Who.", "PPID"},
    Field{"test.secret", Type::u64, "Not in narrow tables."},
    Field{"test.rss", Type::u64, "Memory.", "RSS", "By"},
    Field{"test.took", Type::duration, "How long.", "TOOK", "s"},
    Field{"process.executable.name", Type::text, "comm.", "COMMAND"},
    Field{"process.command_args", Type::texts, "Arguments.", "ARGS"},
};
constexpr SchemaOf kSignal{
    "test.signal",
    Kind::event,
    "A signal was sent.",
    Field{"signal.name", Type::text, "", "SIGNAL"},
    Field{"signal.lethal", Type::boolean, "", "LETHAL"},
};
constexpr SchemaOf kGap{"tapio.gap", Kind::gap, "Something is missing.",
                        Field{"observer", Type::text, ""}, Field{"count", Type::u64, ""}};
constexpr SchemaOf kAll{
    "test.all",
    Kind::metric,
    "One of each.",
    Field{"b", Type::boolean, "", "B"},
    Field{"i", Type::i64, "", "I"},
    Field{"f", Type::f64, "", "F"},
    Field{"t", Type::time, "", "T"},
};

// 2026-11-21T02:03:04Z
constexpr Clocks kClocks{.wall_ahead = 1'795'226'584s, .boottime_ahead = 0s};

class Tables : public testing::Test {
 protected:
  void SetUp() override {
    ::setenv("TZ", "UTC0", 1);
    ::tzset();
  }
};

template <typename... Schemas>
Table table(Table::Detail detail, std::size_t terminal, const Schemas&... schemas) {
  const Schema* all[] = {&schemas...};
  return Table(all, detail, terminal);
}

std::string row(Table& table, const Record& record) {
  std::string out;
  table.append_row(out, record, kClocks);
  return out;
}

Record exec(std::string_view name, std::span<const std::string_view> args) {
  return kExec({.time = 5ms, .pid = 812, .tid = 812}, 1u, 99u, 1'300'000u, 1'200us, name, args);
}

TEST_F(Tables, of_one_schema_have_its_fields_that_have_a_column) {
  const std::string_view args[] = {"nginx", "-g", "daemon off;"};
  Table t = table(Table::Detail::narrow, 0, kExec);
  EXPECT_EQ(t.header(),
            "TIME              PID     PPID        RSS      TOOK  COMMAND          ARGS");
  EXPECT_EQ(row(t, exec("nginx", args)),
            "02:03:04.005      812        1     1.2MiB     1.2ms  nginx            nginx -g "
            "'daemon off;'");
}

TEST_F(Tables, show_what_is_not_known_as_a_dash) {
  Table t = table(Table::Detail::narrow, 0, kExec);
  const std::monostate none;
  EXPECT_EQ(row(t, kExec({}, none, none, none, none, none, none)),
            "02:03:04.000        -        -          -         -  -                -");
}

TEST_F(Tables, name_the_process_from_the_context_where_the_schema_does_not) {
  const Context context{.process_id = {}, .process_name = "bash", .executable = {}};
  Record record = kSignal({.pid = 4, .tid = 4}, "SIGKILL", true);
  record.context = &context;
  Table t = table(Table::Detail::narrow, 0, kSignal);
  EXPECT_EQ(t.header(), "TIME              PID  PROCESS          SIGNAL            LETHAL");
  EXPECT_EQ(row(t, record), "02:03:04.000        4  bash             SIGKILL           true");
}

TEST_F(Tables, that_are_wide_show_all_fields_and_the_id) {
  Table t = table(Table::Detail::wide, 40, kExec);
  const std::string_view args[] = {"a"};
  Record record = exec("a", args);
  record.id = {.run = 0x673e9a10, .number = 7};
  EXPECT_EQ(t.header(),
            "TIME          ID                  PID     PPID  test.secret        RSS      TOOK  "
            "COMMAND          ARGS");
  EXPECT_EQ(row(t, record),
            "02:03:04.005  673e9a10.7          812        1           99     1.2MiB     1.2ms  "
            "a                a");
}

TEST_F(Tables, of_several_schemas_put_fields_into_details) {
  const Context context{.process_id = {}, .process_name = "actor", .executable = {}};
  const std::string_view args[] = {"ls", "a b"};
  Record run = exec("new name", args);
  run.context = &context;
  Table t = table(Table::Detail::narrow, 0, kExec, kSignal);
  EXPECT_EQ(t.header(), "TIME          NAME                  PID  PROCESS          DETAILS");
  EXPECT_EQ(
      row(t, run),
      "02:03:04.005  test.exec             812  new name         ppid=1 rss=1.2MiB took=1.2ms "
      "args=ls 'a b'");
  EXPECT_EQ(row(t, kSignal({}, std::monostate{}, false)),
            "02:03:04.000  test.signal             -  -                lethal=false");
}

TEST_F(Tables, show_records_of_other_schemas_with_all_that_they_say) {
  const Record gap = kGap({.time = 1s}, "process", 12u);
  Table one = table(Table::Detail::narrow, 0, kExec);
  EXPECT_EQ(row(one, gap), "02:03:05.000  tapio.gap: observer=process count=12");
  Table two = table(Table::Detail::narrow, 0, kExec, kSignal);
  EXPECT_EQ(row(two, gap),
            "02:03:05.000  tapio.gap               -  -                observer=process count=12");
}

TEST_F(Tables, take_the_room_of_a_cell_that_is_too_long_from_the_next) {
  Table t = table(Table::Detail::narrow, 0, kSignal);
  const Context context{.process_id = {}, .process_name = "seventeen_letters", .executable = {}};
  Record record = kSignal({.pid = 1, .tid = 1}, "SIGTERM", true);
  record.context = &context;
  EXPECT_EQ(row(t, record), "02:03:04.000        1  seventeen_letters  SIGTERM         true");
}

TEST_F(Tables, are_cut_to_a_known_terminal_when_narrow) {
  const std::string_view args[] = {"caf\xc3\xa9-caf\xc3\xa9-caf\xc3\xa9"};
  for (const std::size_t width : {1u, 12u, 75u, 76u, 80u, 200u}) {
    Table t = table(Table::Detail::narrow, width, kExec);
    const std::string line = row(t, exec("x", args));
    EXPECT_LE(columns(line), width);
    EXPECT_LE(columns(t.header()), width);
    EXPECT_EQ(printable(line), line);
    EXPECT_EQ(line.ends_with("…"), width < 200) << line;
  }
}

TEST_F(Tables, let_no_control_character_of_a_process_through) {
  const std::string_view hostile = "\x1b[2J\r\n\x9b\xc2\x9bx";
  const std::string_view args[] = {hostile, "'", ""};
  const Context context{.process_id = hostile, .process_name = hostile, .executable = hostile};
  Table one = table(Table::Detail::wide, 0, kExec);
  Table two = table(Table::Detail::wide, 0, kExec, kSignal);
  for (Table* t : {&one, &two}) {
    for (Record record : {exec(hostile, args), kSignal({}, hostile, true)}) {
      record.context = &context;
      const std::string line = row(*t, record);
      EXPECT_EQ(printable(line), line);
      EXPECT_TRUE(line.contains("\\x1b[2J")) << line;
    }
  }
}

TEST_F(Tables, write_each_type_of_value) {
  Table t = table(Table::Detail::narrow, 0, kAll);
  EXPECT_EQ(t.header(), "TIME          B            I         F  T");
  EXPECT_EQ(row(t, kAll({}, true, -5, 0.125, 2s)),
            "02:03:04.000  true        -5     0.125  02:03:06.000");
}

TEST_F(Tables, append_to_what_is_there) {
  Table t = table(Table::Detail::narrow, 20, kGap);
  std::string out(100, 'x');
  t.append_row(out, kGap({}, "", 1u), kClocks);
  EXPECT_EQ(out, std::string(100, 'x') + "02:03:04.000");
}

std::string human(std::chrono::nanoseconds duration) {
  std::string out;
  append_human(out, duration);
  return out;
}

TEST(Human, durations_are_cut_and_not_rounded) {
  EXPECT_EQ(human(0ns), "0ns");
  EXPECT_EQ(human(999ns), "999ns");
  EXPECT_EQ(human(1'290ns), "1.2us");
  EXPECT_EQ(human(999'999ns), "999.9us");
  EXPECT_EQ(human(1'200us), "1.2ms");
  EXPECT_EQ(human(999'999'999ns), "999.9ms");
  EXPECT_EQ(human(3'450ms), "3.4s");
  EXPECT_EQ(human(59'999ms), "59.9s");
  EXPECT_EQ(human(123s), "2m3s");
  EXPECT_EQ(human(5h + 6min + 7s), "5h6m");
  EXPECT_EQ(human(24h * 7 + 8h), "7d8h");
  EXPECT_EQ(human(-1'500ms), "-1.5s");
  EXPECT_EQ(human(std::chrono::nanoseconds::min()), "-106751d23h");
}

TEST(Human, bytes_have_binary_units) {
  const auto bytes = [](std::uint64_t count) {
    std::string out;
    append_human_bytes(out, count);
    return out;
  };
  EXPECT_EQ(bytes(0), "0B");
  EXPECT_EQ(bytes(1023), "1023B");
  EXPECT_EQ(bytes(1024), "1.0KiB");
  EXPECT_EQ(bytes(1'300'000), "1.2MiB");
  EXPECT_EQ(bytes((1u << 20) - 1), "1023.9KiB");
  EXPECT_EQ(bytes(~0ull), "15.9EiB");
}

TEST(Human, times_that_do_not_fit_are_the_nearest_that_does) {
  constexpr auto kMost = std::chrono::nanoseconds::max(), kLeast = std::chrono::nanoseconds::min();
  EXPECT_EQ(wall_time(5ns, {.wall_ahead = 7ns}), 12ns);
  EXPECT_EQ(wall_time(kMost, {.wall_ahead = 1ns}), kMost);
  EXPECT_EQ(wall_time(kLeast, {.wall_ahead = -1ns}), kLeast);
}

}  // namespace
}  // namespace tapio
