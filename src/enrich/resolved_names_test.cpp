// SPDX-License-Identifier: Apache-2.0
#include "enrich/resolved_names.hpp"

#include <gtest/gtest.h>

#include "enrich/world.hpp"

namespace tapio {
namespace {

using namespace std::chrono_literals;

constexpr MonotonicTime kNow = 1000s;
constexpr ProcessId kCurl{812, 60}, kNginx{900, 50};
constexpr std::uint64_t kWeb = 7, kOther = 8;

constexpr IpAddress address(std::uint8_t last) {
  return {.bytes = {192, 0, 2, last}};
}

class ResolvedNamesTest : public testing::Test {
 protected:
  void told(ResolvedNames& names, std::string_view name, std::uint8_t last,
            ProcessId process = kCurl, MonotonicTime time = kNow, std::chrono::seconds ttl = 100s) {
    const IpAddress addresses[] = {address(last)};
    names.set({.time = time,
               .evidence = {1, last},
               .process = process,
               .cgroup_id = kWeb,
               .name = name,
               .addresses = addresses,
               .ttl = ttl});
  }
  std::string of(std::uint8_t last, ProcessId process = kCurl, std::uint64_t cgroup = kWeb,
                 MonotonicTime now = kNow) const {
    const auto found = names_.get(address(last), process, cgroup, now);
    return found ? std::string(found->name) : "";
  }

  ResolvedNames names_;
};

TEST_F(ResolvedNamesTest, an_address_has_the_name_that_its_process_asked_for) {
  told(names_, "www.example", 1);
  told(names_, "www.test", 1, kNginx);
  EXPECT_EQ(of(1), "www.example");
  EXPECT_EQ(of(1, kNginx), "www.test");
  EXPECT_EQ(of(2), "");
  const auto found = names_.get(address(1), kCurl, kWeb, kNow);
  EXPECT_EQ(found->by, NameOf::By::process);
  EXPECT_EQ(found->evidence, (RecordId{1, 1}));
}

TEST_F(ResolvedNamesTest, of_a_process_that_did_not_ask_its_cgroup_counts) {
  told(names_, "www.example", 1);
  told(names_, "www.test", 1, kNginx);
  EXPECT_EQ(of(1, {5, 5}), "www.test") << "the latest";
  EXPECT_EQ(names_.get(address(1), {5, 5}, kWeb, kNow)->by, NameOf::By::cgroup);
  EXPECT_EQ(of(1, {5, 5}, kOther), "");
  EXPECT_EQ(of(1, {5, 5}, 0), "");
  EXPECT_EQ(of(1, {kCurl.pid, kCurl.start_ticks + 1}, kOther), "") << "the pid is another's now";
}

TEST_F(ResolvedNamesTest, it_is_forgotten_when_its_time_to_live_is_over) {
  told(names_, "www.example", 1);
  EXPECT_EQ(of(1, kCurl, kWeb, kNow + 100s - 1ns), "www.example");
  EXPECT_EQ(of(1, kCurl, kWeb, kNow + 100s), "");
  names_.expire(kNow + 100s - 1ns);
  EXPECT_EQ(names_.stats().kept, 2u);
  names_.expire(kNow + 100s);
  EXPECT_EQ(names_.stats().kept, 0u);
  EXPECT_EQ(names_.stats().expired, 2u);
}

TEST_F(ResolvedNamesTest, times_to_live_have_bounds) {
  told(names_, "short.example", 1, kCurl, kNow, 0s);
  told(names_, "long.example", 2, kCurl, kNow, std::chrono::seconds(~std::uint32_t{0}));
  EXPECT_EQ(of(1, kCurl, kWeb, kNow + 60s - 1ns), "short.example");
  EXPECT_EQ(of(1, kCurl, kWeb, kNow + 60s), "");
  EXPECT_EQ(of(2, kCurl, kWeb, kNow + 3600s - 1ns), "long.example");
  EXPECT_EQ(of(2, kCurl, kWeb, kNow + 3600s), "");
}

TEST_F(ResolvedNamesTest, the_newer_answer_stays_whichever_comes_first) {
  told(names_, "new.example", 1, kCurl, kNow + 1s);
  told(names_, "old.example", 1, kCurl, kNow);
  EXPECT_EQ(of(1), "new.example");
  told(names_, "newest.example", 1, kCurl, kNow + 2s);
  EXPECT_EQ(of(1), "newest.example");
  EXPECT_EQ(names_.stats().kept, 2u);
  EXPECT_EQ(names_.stats().set, 6u);
}

TEST_F(ResolvedNamesTest, beyond_the_bound_the_one_that_was_answered_longest_ago_goes) {
  ResolvedNames names({.entries = 4});
  told(names, "a.example", 1);
  told(names, "b.example", 2);
  told(names, "a.example", 1, kCurl, kNow + 1s);
  told(names, "c.example", 3);
  EXPECT_TRUE(names.get(address(1), kCurl, kWeb, kNow));
  EXPECT_FALSE(names.get(address(2), kCurl, kWeb, kNow));
  EXPECT_TRUE(names.get(address(3), kCurl, kWeb, kNow));
  EXPECT_EQ(names.stats().kept, 4u);
  EXPECT_EQ(names.stats().evicted, 2u);
}

TEST_F(ResolvedNamesTest, ipv4_and_ipv6_are_never_the_same_address) {
  told(names_, "www.example", 1);
  EXPECT_FALSE(names_.get({.bytes = address(1).bytes, .version = 6}, kCurl, kWeb, kNow));
}

TEST(KnownWorldNames, come_from_facts_and_go_with_time) {
  KnownWorld world;
  const IpAddress addresses[] = {address(1)};
  world.apply(NameResolved{
      .time = kNow, .process = kCurl, .name = "www.example", .addresses = addresses, .ttl = 60s});
  ASSERT_TRUE(world.name_of(address(1), kCurl, 0, kNow));
  EXPECT_EQ(world.name_of(address(1), kCurl, 0, kNow)->name, "www.example");
  world.on_time(kNow + 60s);
  EXPECT_EQ(world.name_stats().expired, 1u);
}

}  // namespace
}  // namespace tapio
