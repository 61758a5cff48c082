// SPDX-License-Identifier: Apache-2.0
#include "record/json.hpp"

#include <gtest/gtest.h>
#include <rapidjson/memorystream.h>
#include <rapidjson/reader.h>

#include <cmath>
#include <limits>
#include <map>

namespace tapio {
namespace {

using namespace std::chrono_literals;

constexpr SchemaOf kRun{
    "test.run",
    Kind::event,
    "A program was run.",
    Field{"test.count", Type::i64, "How often."},
    Field{"test.bytes", Type::u64, "How much.", "BYTES", "By"},
    Field{"test.ratio", Type::f64, "Of what."},
    Field{"test.took", Type::duration, "How long."},
    Field{"test.since", Type::time, "Since when."},
    Field{"test.ok", Type::boolean, "Whether."},
    Field{"test.path", Type::text, "Where."},
    Field{"test.args", Type::texts, "With what."},
};
constexpr SchemaOf kBare{"test.bare", Kind::gap, "Nothing of its own."};
constexpr SchemaOf kOwnPid{
    "test.own",
    Kind::event,
    "Names its process itself.",
    Field{"process.pid", Type::u64, "Whom it is about."},
    Field{"process.executable.name", Type::text, "Its name."},
};
constexpr SchemaOf kText{"test.text", Kind::finding, "One text.", Field{"t", Type::text, ""}};
constexpr SchemaOf kReal{"test.real", Kind::metric, "One number.", Field{"v", Type::f64, ""}};
constexpr SchemaOf kTook{"test.took", Kind::metric, "A duration.", Field{"v", Type::duration, ""}};
constexpr SchemaOf kWhen{"test.when", Kind::metric, "A time.", Field{"v", Type::time, ""}};

// 2026-11-21T02:03:04Z
constexpr Clocks kClocks{.wall_ahead = 1'795'226'584s, .boottime_ahead = 0s};

std::string json(const Record& record, const Clocks& clocks = kClocks) {
  std::string out;
  append_json(out, record, clocks);
  return out;
}

using Texts = std::vector<std::string>;
using Parsed =
    std::variant<std::monostate, bool, std::int64_t, std::uint64_t, double, std::string, Texts>;

// What a strict parser (RFC 8259, valid UTF-8) makes of a flat object. Refuses a key that is there
// twice. Not rapidjson::Document: its header does not compile with clang in C++23.
struct Flat : rapidjson::BaseReaderHandler<rapidjson::UTF8<>, Flat> {
  std::map<std::string, Parsed> members;
  std::string key;
  int depth = 0;
  bool in_list = false;

  bool put(Parsed value) {
    if (!in_list) return members.emplace(key, std::move(value)).second;
    if (!std::holds_alternative<std::string>(value)) return false;
    std::get<Texts>(members.at(key)).push_back(std::get<std::string>(value));
    return true;
  }
  bool Null() { return put({}); }
  bool Bool(bool v) { return put(v); }
  bool Int(int v) { return put(std::int64_t{v}); }
  bool Uint(unsigned v) { return put(std::uint64_t{v}); }
  bool Int64(std::int64_t v) { return put(v); }
  bool Uint64(std::uint64_t v) { return put(v); }
  bool Double(double v) { return put(v); }
  bool String(const char* text, rapidjson::SizeType size, bool) {
    return put(std::string(text, size));
  }
  bool StartObject() { return ++depth == 1; }
  bool Key(const char* text, rapidjson::SizeType size, bool) {
    key.assign(text, size);
    return true;
  }
  bool EndObject(rapidjson::SizeType) { return true; }
  bool StartArray() { return put(Texts{}) && (in_list = true); }
  bool EndArray(rapidjson::SizeType) { return !(in_list = false); }
};

std::map<std::string, Parsed> parsed(const std::string& line) {
  rapidjson::MemoryStream stream(line.data(), line.size());
  rapidjson::Reader reader;
  Flat flat;
  reader.Parse<rapidjson::kParseValidateEncodingFlag | rapidjson::kParseFullPrecisionFlag>(stream,
                                                                                           flat);
  EXPECT_FALSE(reader.HasParseError()) << line;
  return flat.members;
}

std::string only_field(const Record& record) {
  const std::string line = json(record);
  const std::string_view start = "\"v\":";
  const auto at = line.find(start);
  return at == std::string::npos ? "" : line.substr(at + start.size(), line.size() - at - 5);
}

TEST(Json, writes_every_key_in_its_order) {
  const Context context{.process_id = "673e9a10-812-99",
                        .parent_pid = 1,
                        .process_name = "nginx",
                        .executable = "/usr/sbin/nginx",
                        .place = {.cgroup_path = "/x/docker/ab",
                                  .container_id = "ab",
                                  .container_runtime = "docker",
                                  .pod_uid = "74c13223",
                                  .unit = "user@1.service",
                                  .user_unit = "a.service"}};
  const std::string_view args[] = {"nginx", "-g", "daemon off;"};
  Record record = kRun({.time = 5ns,
                        .cgroup_id = 77,
                        .pid = 812,
                        .tid = 813,
                        .event_class = TAPIO_CRITICAL,
                        .order = Order::late},
                       -3, 4096u, 0.25, 1'500ms, 1s + 7ns, true, "/tmp/a b", std::span(args));
  record.id = {.run = 0x673e9a10, .number = 42};
  record.context = &context;
  EXPECT_EQ(json(record),
            R"({"type":"event","name":"test.run","time":"2026-11-21T02:03:04.000000005Z",)"
            R"("id":"673e9a10.42","process.pid":812,"thread.id":813,"process.parent_pid":1,)"
            R"("process.executable.name":"nginx","process.executable.path":"/usr/sbin/nginx",)"
            R"("tapio.process.id":"673e9a10-812-99","tapio.cgroup.id":77,)"
            R"("container.id":"ab","container.runtime.name":"docker","k8s.pod.uid":"74c13223",)"
            R"("systemd.unit":"user@1.service","systemd.user_unit":"a.service",)"
            R"("tapio.cgroup.path":"/x/docker/ab",)"
            R"("tapio.class":"critical","tapio.late":true,"test.count":-3,"test.bytes":4096,)"
            R"("test.ratio":0.25,"test.took":1.5,"test.since":"2026-11-21T02:03:05.000000007Z",)"
            R"("test.ok":true,"test.path":"/tmp/a b","test.args":["nginx","-g","daemon off;"]})");
}

TEST(Json, has_no_key_for_what_is_not_known) {
  Record record = kRun({}, std::monostate{}, std::monostate{}, std::monostate{}, std::monostate{},
                       std::monostate{}, std::monostate{}, std::monostate{}, std::monostate{});
  const Context nobody{};
  record.context = &nobody;
  EXPECT_EQ(json(record),
            R"({"type":"event","name":"test.run","time":"2026-11-21T02:03:04.000000000Z",)"
            R"("id":"00000000.0","tapio.class":"normal"})");
}

TEST(Json, of_anything_but_an_event_has_no_class) {
  EXPECT_EQ(json(kBare({.pid = 3, .tid = 3})),
            R"({"type":"gap","name":"test.bare","time":"2026-11-21T02:03:04.000000000Z",)"
            R"("id":"00000000.0","process.pid":3})");
}

TEST(Json, lets_a_field_of_the_schema_take_the_place_of_a_common_key) {
  const Context context{.process_id = {}, .process_name = "actor", .executable = "/bin/actor"};
  Record record = kOwnPid({.pid = 1, .tid = 1}, 9u, std::monostate{});
  record.context = &context;
  EXPECT_EQ(json(record),
            R"({"type":"event","name":"test.own","time":"2026-11-21T02:03:04.000000000Z",)"
            R"("id":"00000000.0","process.executable.path":"/bin/actor","tapio.class":"normal",)"
            R"("process.pid":9})");
}

TEST(Json, writes_durations_as_seconds_without_rounding) {
  EXPECT_EQ(only_field(kTook({}, 0ns)), "0");
  EXPECT_EQ(only_field(kTook({}, 1ns)), "0.000000001");
  EXPECT_EQ(only_field(kTook({}, -1ns)), "-0.000000001");
  EXPECT_EQ(only_field(kTook({}, 3s)), "3");
  EXPECT_EQ(only_field(kTook({}, 1'200ms)), "1.2");
  EXPECT_EQ(only_field(kTook({}, 9'007'199'254'740'993ns)), "9007199.254740993");
  EXPECT_EQ(only_field(kTook({}, std::chrono::nanoseconds::max())), "9223372036.854775807");
  EXPECT_EQ(only_field(kTook({}, std::chrono::nanoseconds::min())), "-9223372036.854775808");
}

TEST(Json, writes_times_that_do_not_fit_as_the_nearest_that_does) {
  EXPECT_EQ(only_field(kWhen({}, std::chrono::nanoseconds::max())),
            R"("2262-04-11T23:47:16.854775807Z")");
  EXPECT_EQ(only_field(kWhen({}, -1s)), R"("2026-11-21T02:03:03.000000000Z")");
}

TEST(Json, writes_numbers_that_it_cannot_hold_as_null) {
  EXPECT_EQ(only_field(kReal({}, std::nan(""))), "null");
  EXPECT_EQ(only_field(kReal({}, std::numeric_limits<double>::infinity())), "null");
  EXPECT_EQ(only_field(kReal({}, -std::numeric_limits<double>::infinity())), "null");
}

TEST(Json, writes_reals_so_that_they_read_back_the_same) {
  for (const double v :
       {0.1, 0.5, 1e300, 5e-324, -123456789.125, 1e21, std::numeric_limits<double>::max()})
    EXPECT_EQ(std::get<double>(parsed(json(kReal({}, v))).at("v")), v);
  EXPECT_EQ(only_field(kReal({}, 1.0)), "1");
}

TEST(Json, keeps_the_full_range_of_integers) {
  constexpr auto kLeast = std::numeric_limits<std::int64_t>::min();
  const auto got = parsed(json(kRun({.cgroup_id = ~0ull}, kLeast, ~0ull, 0.0, 0s, 0s, false, "",
                                    std::span<const std::string_view>{})));
  EXPECT_EQ(got.at("test.count"), Parsed(kLeast));
  EXPECT_EQ(got.at("test.bytes"), Parsed(std::uint64_t{~0ull}));
  EXPECT_EQ(got.at("tapio.cgroup.id"), Parsed(std::uint64_t{~0ull}));
  EXPECT_EQ(got.at("test.ok"), Parsed(false));
  EXPECT_EQ(got.at("test.path"), Parsed(std::string()));
  EXPECT_EQ(got.at("test.args"), Parsed(Texts()));
}

TEST(Json, stays_one_valid_line_whatever_a_process_calls_itself) {
  for (int first = 0; first < 256; ++first) {
    for (int second = 0; second < 256; second += 5) {
      const char bytes[] = {static_cast<char>(first), static_cast<char>(second)};
      const std::string line = json(kText({}, std::string_view(bytes, 2)));
      ASSERT_EQ(line.find('\n'), std::string::npos);
      ASSERT_TRUE(parsed(line).contains("t")) << line;
    }
  }
}

TEST(Json, cannot_be_given_keys_by_text) {
  const std::string_view hostile = "\",\"type\":\"finding\\\",\"x\":\"";
  const Context context{.process_id = hostile, .process_name = hostile, .executable = hostile};
  const std::string_view args[] = {hostile, "\xff\xfe", "\xed\xa0\x80", "caf\xc3\xa9", ""};
  Record record = kRun({.pid = 5, .tid = 5}, 0, 0u, 0.0, 0s, 0s, true, hostile, std::span(args));
  record.context = &context;
  const auto got = parsed(json(record));
  EXPECT_EQ(got.size(), 4u + 4u + 1u + 8u);
  EXPECT_EQ(got.at("type"), Parsed("event"));
  EXPECT_EQ(got.at("process.executable.name"), Parsed(std::string(hostile)));
  EXPECT_EQ(got.at("test.path"), Parsed(std::string(hostile)));
  const auto& list = std::get<Texts>(got.at("test.args"));
  ASSERT_EQ(list.size(), 5u);
  EXPECT_EQ(list[0], hostile);
  EXPECT_EQ(list[1], "\u00ff\u00fe");
  EXPECT_EQ(list[3], "café");
  EXPECT_EQ(list[4], "");
}

TEST(Json, appends_without_touching_what_is_there) {
  std::string out = "before\n";
  append_json(out, kBare({}), kClocks);
  EXPECT_TRUE(out.starts_with("before\n{"));
  EXPECT_TRUE(out.ends_with("}"));
}

}  // namespace
}  // namespace tapio
