// SPDX-License-Identifier: Apache-2.0
#include "base/bucket.hpp"

#include <gtest/gtest.h>

namespace tapio {
namespace {

using namespace std::chrono_literals;

int admitted(Bucket& bucket, MonotonicTime now) {
  int count = 0;
  while (count < 1000 && bucket.admit(now)) ++count;
  return count;
}

TEST(Buckets, hold_the_share_of_one_second) {
  Bucket bucket(5);
  EXPECT_EQ(admitted(bucket, 1s), 5);
  EXPECT_EQ(admitted(bucket, 2s), 5);
  EXPECT_EQ(admitted(bucket, 1h), 5) << "and no arrears";
}

TEST(Buckets, give_no_more_than_a_rate_that_was_lowered) {
  Bucket bucket(100);
  bucket.set_rate(5);
  EXPECT_EQ(admitted(bucket, 1s), 5);
}

TEST(Buckets, that_were_emptied_are_not_filled_by_a_higher_rate) {
  Bucket bucket(5);
  EXPECT_EQ(admitted(bucket, 1s), 5);
  bucket.set_rate(100);
  EXPECT_EQ(admitted(bucket, 1s), 0);
  EXPECT_EQ(admitted(bucket, 2s), 100);
}

TEST(Buckets, without_a_limit_become_full_ones_with_it) {
  Bucket bucket(0);
  EXPECT_EQ(admitted(bucket, 1s), 1000);
  bucket.set_rate(5);
  EXPECT_EQ(admitted(bucket, 1s), 5);
  bucket.set_rate(0);
  EXPECT_EQ(admitted(bucket, 1s), 1000);
}

}  // namespace
}  // namespace tapio
