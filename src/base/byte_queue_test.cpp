// SPDX-License-Identifier: Apache-2.0
#include "base/byte_queue.hpp"

#include <gtest/gtest.h>

#include <deque>
#include <random>
#include <string>

namespace tapio {
namespace {

TEST(ByteQueue, gives_back_first_what_came_first) {
  ByteQueue queue(10);
  EXPECT_TRUE(queue.push("abcd"));
  EXPECT_TRUE(queue.push("efgh"));
  EXPECT_FALSE(queue.push("ijk")) << "2 are left";
  EXPECT_EQ(queue[0], "abcd");
  EXPECT_EQ(queue[1], "efgh");
  queue.pop();
  EXPECT_TRUE(queue.push("ijk")) << "where the first one was";
  EXPECT_EQ(queue[0], "efgh");
  EXPECT_EQ(queue[1], "ijk");
  EXPECT_FALSE(queue.push("l"));
}

TEST(ByteQueue, has_room_for_as_much_as_it_says_and_no_more) {
  ByteQueue queue(4);
  EXPECT_FALSE(queue.push("abcde"));
  EXPECT_TRUE(queue.push("abcd"));
  queue.pop();
  EXPECT_TRUE(queue.push("efgh"));
  EXPECT_EQ(queue[0], "efgh");
}

TEST(ByteQueue, keeps_what_it_has_in_another_size) {
  ByteQueue queue(8);
  ASSERT_TRUE(queue.push("abc"));
  ASSERT_TRUE(queue.push("def"));
  queue.pop();
  ASSERT_TRUE(queue.push("gh"));
  queue.resize(5);
  EXPECT_EQ(queue.size(), 2u);
  EXPECT_EQ(queue[0], "def");
  EXPECT_EQ(queue[1], "gh");
  EXPECT_FALSE(queue.push("i"));
  queue.resize(6);
  EXPECT_TRUE(queue.push("i"));
}

// Against one that cannot be wrong.
TEST(ByteQueue, is_a_queue_whatever_comes_and_goes) {
  std::mt19937 random(1);
  ByteQueue queue(64);
  std::deque<std::string> same;
  std::size_t refused = 0;
  for (int i = 0; i < 100'000; ++i) {
    const std::string piece(random() % 24, static_cast<char>('a' + i % 26));
    if (random() % 8 != 0 && queue.push(piece)) {
      same.push_back(piece);
    } else if (!same.empty()) {
      refused++;
      queue.pop();
      same.pop_front();
    } else {
      ASSERT_TRUE(queue.push(piece)) << "an empty one has room";
      same.push_back(piece);
    }
    ASSERT_EQ(queue.size(), same.size());
    for (std::size_t at = 0; at < same.size(); ++at) ASSERT_EQ(queue[at], same[at]);
  }
  EXPECT_GT(refused, 10'000u);
}

}  // namespace
}  // namespace tapio
