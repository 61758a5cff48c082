// SPDX-License-Identifier: Apache-2.0
#include "decode/wire.hpp"

#include <gtest/gtest.h>

#include <span>

namespace tapio::wire {
namespace {

Bytes bytes_of(const tapio_event_header& header) {
  return std::as_bytes(std::span(&header, 1));
}

TEST(Wire, a_sample_is_as_long_as_its_header_says_and_not_longer_than_what_there_is) {
  tapio_event_header header{.time_ns = 1, .size = sizeof header};
  EXPECT_TRUE(open_sample(bytes_of(header)));
  EXPECT_FALSE(open_sample(bytes_of(header).first(sizeof header - 1)));
  header.size = sizeof header + 1;
  EXPECT_FALSE(open_sample(bytes_of(header)));
  header.size = sizeof header - 1;
  EXPECT_FALSE(open_sample(bytes_of(header)));
}

TEST(Wire, a_time_that_no_machine_reaches_is_refused) {
  constexpr auto kLatest = static_cast<std::uint64_t>(kLatestTime.count());
  tapio_event_header header{.time_ns = kLatest, .size = sizeof header};
  EXPECT_TRUE(open_sample(bytes_of(header)));
  header.time_ns = kLatest + 1;
  EXPECT_FALSE(open_sample(bytes_of(header)));
}

}  // namespace
}  // namespace tapio::wire
