// SPDX-License-Identifier: Apache-2.0
#include "base/lru.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace tapio {
namespace {

TEST(Lru, forgets_what_was_unused_for_the_longest_time) {
  Lru<int, int> lru(2);
  lru.use(1) = 10;
  lru.use(2) = 20;
  EXPECT_EQ(lru.use(1), 10);
  lru.use(3) = 30;
  EXPECT_EQ(lru.find(2), nullptr);
  ASSERT_NE(lru.find(1), nullptr);
  EXPECT_EQ(lru.size(), 2u);
}

std::vector<int> keys(const Lru<int, int>& lru) {
  std::vector<int> list;
  for (const auto& [key, value] : lru.entries()) list.push_back(key);
  return list;
}

TEST(Lru, has_entries_in_the_order_of_their_use) {
  Lru<int, int> lru(4);
  EXPECT_TRUE(keys(lru).empty());
  for (const int key : {1, 2, 3, 4}) lru.use(key) = key * 10;
  EXPECT_EQ(keys(lru), (std::vector{1, 2, 3, 4}));
  lru.use(2);
  lru.use(4);
  lru.use(4);
  EXPECT_EQ(keys(lru), (std::vector{1, 3, 2, 4}));
  EXPECT_EQ(lru.entries().front().second, 10);
  lru.use(1);
  EXPECT_EQ(keys(lru), (std::vector{3, 2, 4, 1}));
}

TEST(Lru, lets_go_of_one_wherever_it_is) {
  Lru<int, int> lru(4);
  for (const int key : {1, 2, 3, 4}) lru.use(key) = key;
  for (const int key : {3, 1, 4, 4}) lru.erase(key);
  EXPECT_EQ(keys(lru), (std::vector{2}));
  lru.use(5);
  EXPECT_EQ(keys(lru), (std::vector{2, 5}));
  lru.erase(2);
  lru.erase(5);
  EXPECT_TRUE(keys(lru).empty());
  lru.use(6);
  EXPECT_EQ(keys(lru), (std::vector{6}));
}

TEST(Lru, forgets_the_oldest_while_they_are_old) {
  Lru<int, int> lru(4);
  for (const int key : {1, 2, 3}) lru.use(key) = key;
  lru.forget_while([](int value) { return value < 3; });
  EXPECT_EQ(keys(lru), (std::vector{3}));
  lru.forget_while([](int) { return true; });
  EXPECT_EQ(lru.size(), 0u);
}

}  // namespace
}  // namespace tapio
