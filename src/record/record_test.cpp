// SPDX-License-Identifier: Apache-2.0
#include "record/record.hpp"

#include <gmock/gmock.h>

#include <set>

namespace tapio {
namespace {

constexpr SchemaOf kMixed{
    "test.mixed",
    Kind::event,
    "One field of each kind of number.",
    Field{"a", Type::i64, "A signed number."},
    Field{"b", Type::u64, "An unsigned number."},
    Field{"c", Type::f64, "A real number."},
    Field{"d", Type::boolean, "A truth."},
    Field{"e", Type::text, "Some text."},
};

TEST(Names, of_kinds_are_those_of_the_json_contract) {
  EXPECT_EQ(name(Kind::event), "event");
  EXPECT_EQ(name(Kind::metric), "metric");
  EXPECT_EQ(name(Kind::finding), "finding");
  EXPECT_EQ(name(Kind::story), "story");
  EXPECT_EQ(name(Kind::gap), "gap");
}

TEST(Names, of_every_class_differ_and_the_count_of_classes_is_not_one) {
  std::set<std::string_view> seen;
  for (int i = 0; i < TAPIO_CLASSES; ++i) seen.insert(name(static_cast<tapio_class>(i)));
  EXPECT_EQ(seen, (std::set<std::string_view>{"state", "critical", "normal", "bulk"}));
  EXPECT_EQ(name(TAPIO_CLASSES), "unknown");
}

TEST(Names, of_every_outcome_differ_and_none_is_unknown) {
  std::set<std::string_view> seen;
  for (int i = 0; i < TAPIO_OUTCOMES; ++i) seen.insert(name(static_cast<tapio_outcome>(i)));
  EXPECT_EQ(seen.size(), std::size_t{TAPIO_OUTCOMES});
  EXPECT_FALSE(seen.contains("unknown"));
  EXPECT_EQ(name(TAPIO_RING_FULL), "ring_full");
}

TEST(Names, of_every_type_differ) {
  std::set<std::string_view> seen;
  for (int i = 0; i <= static_cast<int>(Type::texts); ++i) seen.insert(name(static_cast<Type>(i)));
  EXPECT_EQ(seen.size(), 8u);
  EXPECT_FALSE(seen.contains("unknown"));
}

TEST(RecordIds, are_the_second_of_the_start_in_hex_and_a_count) {
  EXPECT_EQ((RecordId{.run = 0x673e9a10, .number = 42}).text(), "673e9a10.42");
  EXPECT_EQ(RecordId{}.text(), "00000000.0");
  EXPECT_EQ((RecordId{.run = ~0u, .number = ~0ull}).text(), "ffffffff.18446744073709551615");
}

TEST(Schemas, widen_numbers_to_the_values_of_their_fields) {
  const Record record = kMixed({}, std::int8_t{-1}, std::uint16_t{7}, 0.5f, true, "x");
  EXPECT_EQ(record.schema, &kMixed);
  EXPECT_EQ(std::get<std::int64_t>(record.values[0]), -1);
  EXPECT_EQ(std::get<std::uint64_t>(record.values[1]), 7u);
  EXPECT_EQ(std::get<double>(record.values[2]), 0.5);
  EXPECT_TRUE(std::get<bool>(record.values[3]));
  EXPECT_EQ(std::get<std::string_view>(record.values[4]), "x");
  EXPECT_TRUE(std::holds_alternative<std::monostate>(record.values[5]));
}

TEST(SchemasDeathTest, may_not_declare_a_key_that_every_record_has) {
  for (const std::string_view key : kKeysOfAll)
    EXPECT_DEATH((SchemaOf{"bad", Kind::event, "", Field{key, Type::text, ""}}), "") << key;
}

TEST(Arenas, keep_a_copy_of_text_and_count_what_they_take) {
  Arena arena;
  EXPECT_EQ(arena.taken(), 0u);
  std::string text(100'000, 'x');
  const std::string_view kept = arena.keep(text);
  text.assign(text.size(), 'y');
  EXPECT_EQ(kept, std::string(100'000, 'x'));
  EXPECT_GE(arena.taken(), 100'000u);
  EXPECT_TRUE(arena.keep({}).empty());
  EXPECT_TRUE(arena.list(0).empty());
  const auto list = arena.list(3);
  ASSERT_EQ(list.size(), 3u);
  EXPECT_TRUE(list[2].empty());
  arena.clear();
  EXPECT_EQ(arena.taken(), 0u);
  EXPECT_EQ(arena.keep("again"), "again");
}

TEST(Arenas, take_nothing_of_the_heap_while_the_room_that_they_are_given_lasts) {
  std::array<std::byte, 64> room;
  Arena arena(room);
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(arena.keep(std::string(60, 'x')), std::string(60, 'x'));
    EXPECT_EQ(arena.taken(), 0u);
    arena.clear();
  }
  EXPECT_EQ(arena.keep(std::string(100, 'y')), std::string(100, 'y'));
  EXPECT_GE(arena.taken(), 100u);
}

TEST(Arenas, keep_values_with_all_that_they_point_to) {
  Arena from, to;
  const auto words = from.list(2);
  words[0] = from.keep("one");
  words[1] = from.keep("two");
  const Value text = to.keep_value(from.keep("text")), number = to.keep_value(std::uint64_t{7}),
              list = to.keep_value(std::span<const std::string_view>(words));
  words[0] = "other";
  from.clear();
  EXPECT_EQ(std::get<std::string_view>(text), "text");
  EXPECT_EQ(std::get<std::uint64_t>(number), 7u);
  EXPECT_THAT(std::get<std::span<const std::string_view>>(list),
              testing::ElementsAre("one", "two"));
  EXPECT_TRUE(std::holds_alternative<std::monostate>(to.keep_value({})));
}

}  // namespace
}  // namespace tapio
