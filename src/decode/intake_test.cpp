// SPDX-License-Identifier: Apache-2.0
#include "decode/intake.hpp"

#include <gtest/gtest.h>

#include <span>

namespace tapio {
namespace {

using namespace std::chrono_literals;

constexpr std::uint8_t kObserver = 0x01;
constexpr auto kForever = 1h;  // longer than a test may take

// Without channels: a test gives it samples before its thread runs, or after.
class Intakes : public testing::Test {
 protected:
  Intakes() { intake_.admit(kObserver, ledger_); }

  void give(std::uint8_t event_class, std::size_t times = 1) {
    tapio_event_header header{};
    header.kind = kObserver << 8;
    header.event_class = event_class;
    header.size = sizeof header;
    header.time_ns = 1;
    for (std::size_t i = 0; i < times; ++i) intake_.taker()(std::as_bytes(std::span(&header, 1)));
  }
  std::size_t next(std::chrono::milliseconds wait) {
    std::vector<std::byte> block;
    intake_.next(block, wait);
    std::size_t samples = 0;
    Intake::each(block, [&](const wire::Sample&) { ++samples; });
    return samples;
  }

  capture::Ledger ledger_{-1, 0, 1};  // only what was read is counted in it
  Intake intake_;
};

TEST_F(Intakes, hand_on_what_came_with_the_beat) {
  give(TAPIO_BULK, 3);
  ASSERT_TRUE(intake_.start());
  EXPECT_EQ(next(kForever), 3u);
  EXPECT_EQ(next(kForever), 0u) << "a beat is one without samples too";
  EXPECT_EQ(intake_.handed_out(), 3u);
}

TEST_F(Intakes, hand_on_at_once_what_is_critical) {
  give(TAPIO_BULK, 2);
  give(TAPIO_CRITICAL);
  EXPECT_EQ(next(kForever), 3u);
}

TEST_F(Intakes, hand_on_at_once_when_much_has_come) {
  constexpr std::size_t kMuch = Intake::kEnoughBytes / sizeof(tapio_event_header) + 1;
  give(TAPIO_BULK, kMuch);
  EXPECT_EQ(next(kForever), kMuch);
}

TEST_F(Intakes, hand_on_to_who_does_not_wait_what_there_is) {
  give(TAPIO_BULK, 2);
  EXPECT_EQ(next(0ms), 2u);
  EXPECT_EQ(next(0ms), 0u);
}

TEST_F(Intakes, keep_room_for_state_and_critical_samples_when_the_queue_is_full) {
  constexpr std::size_t kMost = Intake::kMaxBytes / sizeof(tapio_event_header);
  give(TAPIO_BULK, kMost + 5);
  give(TAPIO_STATE, 7);
  const auto counts = intake_.counts(kObserver);
  EXPECT_EQ(counts.read, kMost + 12);
  EXPECT_EQ(counts.queued, kMost + 7);
  EXPECT_EQ(counts.queue_dropped[TAPIO_BULK], 5u);
  EXPECT_EQ(next(0ms), kMost + 7);
}

}  // namespace
}  // namespace tapio
