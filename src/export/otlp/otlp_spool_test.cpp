// SPDX-License-Identifier: Apache-2.0
#include "otlp_spool.hpp"

#include <gtest/gtest.h>

#include <fstream>

#include "temporary.hpp"

namespace tapio::otlp {
namespace {

Tally tally(std::uint64_t count, tapio_class event_class = TAPIO_NORMAL, Kind kind = Kind::event) {
  Tally of;
  of.counts[static_cast<std::size_t>(event_class)][static_cast<std::size_t>(kind)] = count;
  return of;
}

Request request(std::string body, std::uint64_t records = 1, Signal signal = Signal::logs) {
  return {.signal = signal, .tally = tally(records), .gzip = true, .body = std::move(body)};
}

class Spools : public testing::Test {
 protected:
  static constexpr ByteSize kSize{16 << 20};
  std::unique_ptr<Spool> open() {
    auto spool = std::make_unique<Spool>(path_, kSize);
    EXPECT_TRUE(spool->open());
    return spool;
  }
  static void put(Spool& spool, const Request& one) {
    const Status kept = spool.put({&one, 1});
    EXPECT_TRUE(kept) << kept.error().what;
  }
  static Spool::Entry oldest(Spool& spool, Signal signal = Signal::logs) {
    const auto entry = spool.oldest(signal);
    EXPECT_TRUE(entry && *entry);
    return entry && *entry ? **entry : Spool::Entry{};
  }
  static std::uint64_t bytes_on_disk(const std::string& path) {
    std::uint64_t sum = 0;
    for (const auto* suffix : {"", "-wal", "-shm", "-journal"}) {
      std::error_code none;
      const auto size = std::filesystem::file_size(path + suffix, none);
      if (!none) sum += size;
    }
    return sum;
  }

  Temporary directory_;
  std::string path_ = directory_.file("spool");
};

TEST_F(Spools, give_back_what_they_got_the_oldest_first_each_signal_by_itself) {
  const auto spool = open();
  const std::string bytes("\0\xff zip", 6);
  put(*spool, request(bytes, 7));
  put(*spool, request("b", 8));
  put(*spool,
      {.signal = Signal::traces, .tally = tally(1, TAPIO_CRITICAL, Kind::story), .body = "c"});
  EXPECT_EQ(spool->waiting(Signal::logs), 2u);
  const auto first = oldest(*spool);
  EXPECT_EQ(first.request.body, bytes);
  EXPECT_EQ(first.request.tally, tally(7));
  EXPECT_TRUE(first.request.gzip);
  EXPECT_TRUE(spool->remove(first.row));
  EXPECT_EQ(oldest(*spool).request.body, "b");
  const auto story = oldest(*spool, Signal::traces);
  EXPECT_EQ(story.request.tally, tally(1, TAPIO_CRITICAL, Kind::story));
  EXPECT_FALSE(story.request.gzip);
  EXPECT_FALSE(*spool->oldest(Signal::metrics));
  EXPECT_EQ(spool->held().total(), 9u);
}

TEST_F(Spools, tell_what_an_earlier_run_has_left) {
  put(*open(), request("a", 5));
  const auto spool = open();
  EXPECT_EQ(spool->take_found(), tally(5));
  EXPECT_EQ(spool->take_found(), Tally());
  EXPECT_EQ(spool->take_lost(), Tally());
  EXPECT_EQ(oldest(*spool).request.body, "a");
}

TEST_F(Spools, let_the_oldest_go_when_there_is_no_room_and_count_it) {
  const auto spool = open();
  constexpr std::uint64_t kRequests = 60;
  for (std::uint64_t i = 0; i < kRequests; ++i) {
    put(*spool, request(std::string(1 << 20, 'x') + std::to_string(i), 10));
    ASSERT_LE(bytes_on_disk(path_), kSize.bytes);
  }
  const std::uint64_t lost = spool->take_lost().total();
  EXPECT_GT(lost, 0u);
  EXPECT_EQ(lost + spool->held().total(), 10 * kRequests);
  EXPECT_EQ(spool->waiting(Signal::logs), kRequests - lost / 10);
  EXPECT_GE(spool->waiting(Signal::logs), 8u) << "the room is used";
  EXPECT_TRUE(oldest(*spool).request.body.ends_with("x" + std::to_string(lost / 10)));
}

TEST_F(Spools, give_the_disk_back_when_they_are_empty) {
  const auto spool = open();
  for (int i = 0; i < 8; ++i) put(*spool, request(std::string(1 << 20, 'x')));
  while (spool->waiting(Signal::logs) > 0) ASSERT_TRUE(spool->remove(oldest(*spool).row));
  EXPECT_LE(bytes_on_disk(path_), 1u << 20);
  EXPECT_EQ(spool->held(), Tally());
}

TEST_F(Spools, refuse_a_request_that_never_fits_and_stay_as_they_were) {
  const auto spool = open();
  const Request large = request(std::string(kSize.bytes, 'x'));
  EXPECT_FALSE(spool->put({&large, 1}));
  put(*spool, request("a"));
  EXPECT_EQ(oldest(*spool).request.body, "a");
}

TEST_F(Spools, put_a_damaged_file_aside_and_count_what_was_in_it) {
  auto spool = open();
  put(*spool, request("a", 5));
  spool.reset();
  std::ofstream(path_, std::ios::in | std::ios::binary).seekp(0) << std::string(100, 'x');
  spool = open();
  EXPECT_EQ(spool->waiting(Signal::logs), 0u);
  put(*spool, request("b", 1));
  EXPECT_EQ(oldest(*spool).request.body, "b");
  EXPECT_TRUE(std::ranges::any_of(
      std::filesystem::directory_iterator(std::filesystem::path(path_).parent_path()),
      [](const auto& entry) { return entry.path().string().contains(".corrupt-"); }));
}

TEST_F(Spools, are_of_one_agent_alone_and_of_no_other_program) {
  const auto first = open();
  put(*first, request("a"));
  Spool second(path_, kSize);
  const auto busy = second.open();
  ASSERT_FALSE(busy);
  EXPECT_EQ(busy.error().fault, Fault::unavailable);

  const std::string other = directory_.file("other");
  sqlite3* opened = nullptr;
  ASSERT_EQ(sqlite3_open(other.c_str(), &opened), SQLITE_OK);
  const sql::Connection database(opened);
  ASSERT_TRUE(sql::execute(opened, "CREATE TABLE theirs(x)"));
  Spool wrong(other, kSize);
  const auto refused = wrong.open();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().fault, Fault::denied);
}

}  // namespace
}  // namespace tapio::otlp
