// SPDX-License-Identifier: Apache-2.0
#include "agent/reserve.hpp"

#include <gmock/gmock.h>

#include <csignal>

#include "enrich/world.hpp"

namespace tapio::agent {
namespace {

using testing::ElementsAre;
using Texts = std::span<const std::string_view>;

constexpr SchemaOf kNote{"note",
                         Kind::event,
                         "A note.",
                         Field{"number", Type::u64, "Its number."},
                         Field{"text", Type::text, "What it says."},
                         Field{"words", Type::texts, "The same in words."}};

class ReserveTest : public testing::Test {
 protected:
  // What is kept must not hang on the batch that it was made in.
  void keep(std::uint64_t number, std::string_view text, std::uint32_t pid = 0) {
    auto arena = std::make_unique<Arena>();
    const auto words = arena->list(2);
    words[0] = arena->keep(text);
    words[1] = "end";
    reserve.keep(kNote(Origin{.time = MonotonicTime(number), .pid = pid}, number, arena->keep(text),
                       Texts(words)),
                 id(number));
  }
  // The same as a sample, of which a note is made when it is asked for.
  void keep_sample(std::uint64_t number) {
    const tapio_event_header header{.time_ns = number, .tgid = 100, .size = sizeof header};
    const auto sample = wire::open_sample(std::as_bytes(std::span(&header, 1)));
    reserve.keep(*sample, Origin{.time = MonotonicTime(number), .pid = 200}, id(number));
  }
  static RecordId id(std::uint64_t number) { return {.run = 7, .number = number}; }
  // The record of it has the number of its time.
  void runs(std::uint32_t pid, std::uint64_t executed) {
    happens(ProcessExecuted{
        .time = MonotonicTime(executed), .evidence = id(executed), .process = {pid, 1}});
  }
  void ends(std::uint32_t pid, std::int64_t time, std::int32_t signal = 0) {
    happens(ProcessExited{.time = MonotonicTime(time), .process = {pid, 1}, .signal = signal});
  }
  void happens(const Fact& fact) {
    world.apply(fact);
    reserve.on_fact(fact);
  }
  // So much that all that was there before had its turn.
  void flood(std::uint64_t first) {
    const std::string much(64 << 10, 'x');
    for (std::size_t bytes = 0; bytes <= Reserve::kMaxBytes; bytes += much.size())
      keep(first++, much);
  }

  KnownWorld world;
  bool can_make = true;
  Reserve reserve{world, [this](const wire::Sample& sample, Arena& arena) -> std::optional<Record> {
                    if (!can_make) return {};
                    const auto& header = sample.header;
                    return kNote(Origin{.time = MonotonicTime(header.time_ns), .pid = header.tgid},
                                 header.time_ns, arena.keep("made"), Texts());
                  }};
  Arena out;
};

TEST_F(ReserveTest, gives_back_what_was_kept_once) {
  keep(1, "one");
  keep(2, "two, and long enough to lie outside of the string");
  const auto record = reserve.take(id(2), out);
  ASSERT_TRUE(record);
  EXPECT_EQ(record->id, id(2));
  EXPECT_EQ(record->origin.time, MonotonicTime(2));
  EXPECT_EQ(std::get<std::uint64_t>(record->values[0]), 2u);
  EXPECT_EQ(std::get<std::string_view>(record->values[1]),
            "two, and long enough to lie outside of the string");
  EXPECT_THAT(std::get<Texts>(record->values[2]),
              ElementsAre("two, and long enough to lie outside of the string", "end"));
  EXPECT_FALSE(reserve.take(id(2), out));
  EXPECT_TRUE(reserve.take(id(1), out));
  EXPECT_FALSE(reserve.take(id(3), out));
  EXPECT_EQ(reserve.stats().released, 2u);
  EXPECT_EQ(reserve.stats().forgotten, 0u);
}

TEST_F(ReserveTest, a_record_is_made_of_its_sample_when_it_is_asked_for) {
  keep_sample(1);
  keep(2, "two");
  const auto record = reserve.take(id(1), out);
  ASSERT_TRUE(record);
  EXPECT_EQ(record->id, id(1));
  EXPECT_EQ(record->origin.pid, 200u) << "as it was said when it was withheld";
  EXPECT_EQ(std::get<std::string_view>(record->values[1]), "made");
  EXPECT_FALSE(reserve.take(id(1), out));
  EXPECT_EQ(reserve.stats().released, 1u);
}

TEST_F(ReserveTest, a_sample_of_which_nobody_can_make_a_record_any_more_is_forgotten) {
  keep_sample(1);
  can_make = false;
  EXPECT_FALSE(reserve.take(id(1), out));
  EXPECT_EQ(reserve.stats().released, 0u);
  EXPECT_EQ(reserve.stats().forgotten, 1u);
}

TEST_F(ReserveTest, a_record_without_a_schema_is_not_worth_keeping) {
  reserve.keep({.origin = {.time = MonotonicTime(1)}}, id(1));
  EXPECT_EQ(reserve.stats().kept, 0u);
}

TEST_F(ReserveTest, the_oldest_goes_when_the_bytes_are_used_up) {
  keep(1, "one");
  flood(2);
  EXPECT_FALSE(reserve.take(id(1), out));
  EXPECT_LE(reserve.stats().bytes, Reserve::kMaxBytes);
  EXPECT_GE(reserve.stats().forgotten, 1u);
}

TEST_F(ReserveTest, while_memory_is_short_it_keeps_less) {
  flood(1);
  reserve.spare_memory(true);
  EXPECT_LE(reserve.stats().bytes, Reserve::kSpareBytes);
  flood(1'000);
  EXPECT_LE(reserve.stats().bytes, Reserve::kSpareBytes);
  reserve.spare_memory(false);
  flood(2'000);
  EXPECT_GT(reserve.stats().bytes, Reserve::kSpareBytes);
}

TEST_F(ReserveTest, the_exec_of_who_still_runs_stays_until_its_end) {
  runs(100, 1);
  keep(1, "one", 100);
  runs(200, 2);
  keep(2, "two", 200);
  flood(3);
  ends(200, 1000);
  reserve.sweep(MonotonicTime(1000));
  EXPECT_TRUE(reserve.take(id(1), out));
  EXPECT_FALSE(reserve.take(id(2), out));
}

TEST_F(ReserveTest, of_who_runs_the_latest_exec_stays_alone) {
  runs(100, 1);
  keep(1, "before", 100);
  runs(100, 2);
  keep(2, "now", 100);
  flood(3);
  EXPECT_FALSE(reserve.take(id(1), out));
  EXPECT_TRUE(reserve.take(id(2), out));
}

TEST_F(ReserveTest, an_end_of_who_had_the_pid_before_is_not_that_of_who_has_it) {
  runs(100, 1);
  keep(1, "one", 100);
  happens(ProcessExited{.time = MonotonicTime(2), .process = {100, 0}});
  flood(3);
  EXPECT_TRUE(reserve.take(id(1), out));
}

TEST_F(ReserveTest, of_the_living_only_so_many_stay) {
  for (std::uint32_t n = 1; n <= Reserve::kMaxLiving + 1; ++n) {
    runs(n, n);
    keep(n, "exec", n);
  }
  flood(1'000'000);
  EXPECT_FALSE(reserve.take(id(1), out));
  EXPECT_TRUE(reserve.take(id(2), out));
}

TEST_F(ReserveTest, what_is_of_a_process_that_was_killed_stays_until_its_story_is_told) {
  runs(100, 1);
  keep(1, "exec", 100);
  keep(2, "exit", 100);
  ends(100, 2, SIGKILL);
  runs(200, 3);
  keep(3, "exit", 200);
  ends(200, 3);
  flood(4);
  reserve.sweep(MonotonicTime(2) + Reserve::kInvolvedStays);
  EXPECT_TRUE(reserve.take(id(2), out));
  EXPECT_FALSE(reserve.take(id(3), out)) << "nothing has killed it";
  reserve.sweep(MonotonicTime(2) + 2 * Reserve::kInvolvedStays);
  EXPECT_FALSE(reserve.take(id(1), out));
}

TEST_F(ReserveTest, what_is_of_who_asked_another_to_end_stays_and_of_whom_it_asked) {
  const auto sends = [this](std::uint32_t sender, std::uint32_t target, std::int32_t signal) {
    happens(SignalSent{
        .time = MonotonicTime(1), .sender = {sender, 1}, .target = {target, 1}, .signal = signal});
  };
  // A critical event is worked on before earlier ones that are not.
  sends(100, 200, SIGTERM);
  sends(300, 400, SIGUSR1);
  keep(1, "exec of the sender", 100);
  ends(100, 2);
  keep(2, "exit of the target", 200);
  ends(200, 3);
  keep(3, "exec of another sender", 300);
  flood(4);
  EXPECT_TRUE(reserve.take(id(1), out));
  EXPECT_TRUE(reserve.take(id(2), out));
  EXPECT_FALSE(reserve.take(id(3), out)) << "SIGUSR1 ends nobody who handles it";
}

TEST_F(ReserveTest, the_exec_of_who_ran_for_long_and_then_killed_somebody_stays_after_its_own_end) {
  runs(100, 1);
  keep(1, "exec", 100);
  flood(2);
  happens(SignalSent{.time = MonotonicTime(1000),
                     .sender = {100, 1},
                     .target = {200, 1},
                     .signal = SIGKILL,
                     .lethal = true});
  ends(100, 1001);
  reserve.sweep(MonotonicTime(1002));
  EXPECT_TRUE(reserve.take(id(1), out));
}

TEST_F(ReserveTest, of_the_involved_only_so_many_stay) {
  for (std::uint32_t n = 1; n <= Reserve::kMaxPids + 1; ++n) {
    keep(n, "exit", n);
    ends(n, n, SIGKILL);
  }
  flood(1'000'000);
  EXPECT_FALSE(reserve.take(id(1), out));
  EXPECT_TRUE(reserve.take(id(Reserve::kMaxPids + 1), out));
}

TEST_F(ReserveTest, of_one_that_is_involved_only_so_many_records_stay) {
  ends(100, 1, SIGKILL);
  for (std::uint32_t n = 1; n <= Reserve::kMaxInvolved + 1; ++n) keep(n, "fork", 100);
  flood(1'000'000);
  EXPECT_FALSE(reserve.take(id(1), out));
  EXPECT_TRUE(reserve.take(id(2), out));
}

}  // namespace
}  // namespace tapio::agent
