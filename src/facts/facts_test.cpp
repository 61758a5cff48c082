// SPDX-License-Identifier: Apache-2.0
#include "facts/facts.hpp"

#include <gtest/gtest.h>

namespace tapio {
namespace {

TEST(Signals, every_number_has_a_name_that_leads_back_to_it) {
  for (std::int32_t signal = 1; signal <= 64; ++signal) {
    if (signal == 32 || signal == 33) continue;  // glibc's own; they print as numbers
    EXPECT_EQ(signal_number(signal_name(signal)), signal) << signal_name(signal);
  }
  EXPECT_EQ(signal_name(9), "SIGKILL");
  EXPECT_EQ(signal_name(37), "SIGRTMIN+3");
  EXPECT_EQ(signal_name(77), "signal 77");
}

TEST(Signals, names_are_taken_as_people_write_them_and_nothing_else) {
  for (const auto* kill : {"SIGKILL", "kill", "Kill", "9", "sigkill"})
    EXPECT_EQ(signal_number(kill), 9) << kill;
  for (const auto* wrong : {"", "SIG", "KILLER", "-9", "65", "9x", "RTMIN+40", "RTMIN+"})
    EXPECT_EQ(signal_number(wrong), 0) << wrong;
}

TEST(Facts, kinds_have_bits_of_their_own) {
  EXPECT_EQ(facts_of<ProcessStarted>, 1u);
  EXPECT_EQ((facts_of<ProcessStarted, ProcessExited>), 5u);
  EXPECT_EQ(facts_of<Lost> & facts_of<SignalSent>, 0u);
}

TEST(Facts, process_ids_differ_when_a_pid_is_used_again) {
  EXPECT_NE(text(ProcessId{7, 100}), text(ProcessId{7, 101}));
  EXPECT_TRUE(text(ProcessId{7, 100}).ends_with("-7-100"));
}

TEST(ProcessId, tells_when_the_process_started_and_never_later_than_times_go) {
  EXPECT_EQ(told_start({.pid = 1, .start_ticks = 250}), std::chrono::milliseconds(2500));
  EXPECT_LE(told_start({.pid = 1, .start_ticks = ~std::uint64_t{0}}), kLatestTime);
}

}  // namespace
}  // namespace tapio
