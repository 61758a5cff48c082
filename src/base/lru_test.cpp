// SPDX-License-Identifier: Apache-2.0
#include "base/lru.hpp"

#include <gtest/gtest.h>

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

}  // namespace
}  // namespace tapio
