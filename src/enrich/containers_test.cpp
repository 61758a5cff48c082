// SPDX-License-Identifier: Apache-2.0
#include "enrich/containers.hpp"

#include <gtest/gtest.h>

namespace tapio {
namespace {

using namespace std::chrono_literals;

ContainerDescribed described(std::string_view id, MonotonicTime time, std::string_view name) {
  return {.time = time, .id = id, .runtime = "containerd", .name = name};
}

TEST(Containers, the_newest_word_counts_whatever_came_first) {
  Containers containers;
  containers.described(described("a", 2s, "new"));
  containers.described(described("a", 1s, "old"));
  ASSERT_NE(containers.find("a"), nullptr);
  EXPECT_EQ(containers.find("a")->name, "new");
  containers.described(described("a", 3s, "newer"));
  EXPECT_EQ(containers.find("a")->name, "newer");
  EXPECT_EQ(containers.stats().described, 1u);
}

TEST(Containers, who_is_awaited_is_awaited_until_a_word_comes_or_time_is_up) {
  Containers containers;
  containers.awaited({.time = 1s, .id = "a", .until = 2s});
  containers.awaited({.time = 1s, .id = "b", .until = 2s});
  containers.awaited({.time = 1s, .id = "c", .until = 2s});
  EXPECT_EQ(containers.awaited_until("a"), 2s);
  containers.described(described("a", 1s, "web"));
  EXPECT_FALSE(containers.awaited_until("a"));
  containers.unnamed({.time = 1s, .id = "b"});
  EXPECT_FALSE(containers.awaited_until("b"));
  containers.expire(3s);
  EXPECT_FALSE(containers.awaited_until("c"));
  containers.awaited({.time = 3s, .id = "a", .until = 4s});
  EXPECT_FALSE(containers.awaited_until("a")) << "it is known";
}

TEST(Containers, are_bounded_and_the_one_described_longest_ago_goes) {
  Containers containers({.described = 2, .awaited = 1});
  containers.described(described("a", 1s, "a"));
  containers.described(described("b", 2s, "b"));
  containers.described(described("a", 3s, "a"));
  containers.described(described("c", 4s, "c"));
  EXPECT_EQ(containers.find("b"), nullptr);
  EXPECT_NE(containers.find("a"), nullptr);
  EXPECT_EQ(containers.stats().evicted, 1u);
  containers.awaited({.time = 1s, .id = "x", .until = 2s});
  containers.awaited({.time = 1s, .id = "y", .until = 2s});
  EXPECT_FALSE(containers.awaited_until("y"));
  EXPECT_EQ(containers.stats().awaited, 1u);
}

TEST(Containers, what_nobody_describes_any_more_is_forgotten) {
  Containers containers({.keep = 10s});
  containers.described(described("a", 1s, "a"));
  containers.expire(11s);
  EXPECT_NE(containers.find("a"), nullptr);
  containers.expire(12s);
  EXPECT_EQ(containers.find("a"), nullptr);
}

TEST(Containers, without_an_id_nothing_is_said) {
  Containers containers;
  containers.described({.time = 1s, .name = "web"});
  containers.awaited({.time = 1s, .until = 2s});
  EXPECT_EQ(containers.stats().described, 0u);
  EXPECT_EQ(containers.stats().awaited, 0u);
}

}  // namespace
}  // namespace tapio
