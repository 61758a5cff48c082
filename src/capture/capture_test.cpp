// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <cstring>

#include "capture/channel.hpp"
#include "capture/kernel.hpp"
#include "capture/ledger.hpp"
#include "capture/merge.hpp"
#include "capture/plan.hpp"

namespace tapio::capture {
namespace {

using namespace std::chrono_literals;

std::optional<Gap> see(Ledger& ledger, std::uint32_t sequence) {
  tapio_event_header header{};
  header.sequence = sequence;
  return ledger.saw(header);
}

TEST(Ledger, a_jump_in_the_sequence_is_a_gap_with_its_place) {
  Ledger ledger(-1, 4096);
  EXPECT_FALSE(see(ledger, 1));
  EXPECT_FALSE(see(ledger, 2));

  const auto gap = see(ledger, 6);

  ASSERT_TRUE(gap);
  EXPECT_EQ(gap->from, 3u);
  EXPECT_EQ(gap->to, 5u);
}

TEST(Ledger, a_nested_run_that_overtakes_leaves_no_second_gap) {
  Ledger ledger(-1, 4096);
  see(ledger, 1);
  EXPECT_TRUE(see(ledger, 3));  // reserved before the run that it interrupted
  EXPECT_FALSE(see(ledger, 2));
  EXPECT_FALSE(see(ledger, 4));
}

TEST(Ledger, a_header_out_of_range_touches_nothing) {
  Ledger ledger(-1, 4096);
  for (const auto& wrong : {tapio_event_header{.sequence = 9, .cpu = 65535},
                            tapio_event_header{.sequence = 9, .hook = TAPIO_MAX_HOOKS},
                            tapio_event_header{.sequence = 9, .event_class = TAPIO_CLASSES}})
    EXPECT_FALSE(ledger.saw(wrong));
  EXPECT_FALSE(see(ledger, 1));
}

TEST(Merge, orders_two_channels_behind_the_watermark_and_marks_the_late) {
  Merge merge;
  std::string order;
  const auto push = [&](char name, MonotonicTime time) {
    merge.push(time, std::as_bytes(std::span(&name, 1)));
  };
  const auto collect = [&](Bytes bytes, bool late) {
    order += static_cast<char>(bytes[0]);
    if (late) order += '!';
  };
  for (auto [name, time] : {std::pair('a', 10ns), {'c', 30ns}, {'e', 50ns}}) push(name, time);
  for (auto [name, time] : {std::pair('b', 20ns), {'d', 40ns}}) push(name, time);

  merge.release(40ns, collect);
  push('x', 15ns);
  merge.release(60ns, collect);

  EXPECT_EQ(order, "abcdx!e");
}

TEST(Merge, what_comes_from_many_buffers_is_in_order_and_of_equal_times_as_it_was_pushed) {
  for (const std::uint16_t buffers : {1, 2, 3, 7, 64}) {
    Merge merge;
    std::vector<std::pair<MonotonicTime, std::uint16_t>> pushed, released;
    std::uint16_t number = 0;
    for (int pass = 0; pass < 3; ++pass) {
      for (int buffer = 0; buffer < buffers; ++buffer)
        for (int i = 0; i < 10; ++i, ++number) {
          const MonotonicTime time(100 * pass + 10 * i + (7 * buffer + i) % 10);
          pushed.emplace_back(time, number);
          merge.push(time, std::as_bytes(std::span(&number, 1)));
        }
      merge.release(pass == 2 ? MonotonicTime::max() : MonotonicTime(100 * pass + 50),
                    [&](Bytes bytes, bool late) {
                      EXPECT_FALSE(late);
                      std::uint16_t which = 0;
                      std::memcpy(&which, bytes.data(), sizeof which);
                      released.push_back(pushed[which]);
                    });
    }
    std::ranges::sort(pushed);
    EXPECT_EQ(released, pushed) << buffers;
  }
}

TEST(Merge, too_many_bytes_let_the_older_half_go_early) {
  Merge merge;
  const std::vector<std::byte> big(Merge::kMaxBytes / 4);
  for (int i = 0; i < 6; ++i) merge.push(std::chrono::nanoseconds(i), big);
  int released = 0;
  merge.release(MonotonicTime(-1), [&](Bytes, bool) { ++released; });
  EXPECT_EQ(released, 3);
}

TEST(CpuGroups, sixteen_cpus_share_a_ring_and_more_where_that_is_too_many_rings) {
  constexpr std::size_t kPages = 64;
  struct Case {
    std::uint32_t cpus, rings, shift;
  };
  for (const auto& [cpus, rings, shift] : {Case{1, 1, 4},
                                           {16, 1, 4},
                                           {17, 2, 4},
                                           {64, 4, 4},
                                           {128, 8, 4},
                                           {129, 5, 5},
                                           {1024, 8, 7}}) {
    const auto groups = group_cpus(cpus, 0, kPages);
    EXPECT_EQ(groups.rings, rings) << cpus;
    EXPECT_EQ(groups.shift, shift) << cpus;
  }
}

TEST(CpuGroups, as_few_cpus_as_told_share_a_ring_and_each_ring_has_a_page) {
  EXPECT_EQ(group_cpus(2, 1, 64).rings, 2u);
  EXPECT_EQ(group_cpus(64, 1, 64).rings, std::uint32_t{TAPIO_MAX_RINGS});
  EXPECT_EQ(group_cpus(64, 1024, 64).rings, 1u);
  EXPECT_EQ(group_cpus(64, 1, 2).rings, 2u);
  EXPECT_EQ(group_cpus(64, 0, 1).rings, 1u);
}

constexpr Candidate kBoth[] = {{"typed", Feature::tp_btf}, {"raw", Feature::raw_tp}};
constexpr Candidate kTypedOnly[] = {{"only", Feature::tp_btf | Feature::ringbuf}};
constexpr Hook kHooks[] = {{"must", Need::required, Trigger::canary, kBoth},
                           {"may", Need::optional, Trigger::passive, kTypedOnly}};

TEST(Plan, the_best_candidate_that_the_kernel_can_run_is_taken) {
  const auto choices =
      choose(kHooks, {.features = Feature::tp_btf | Feature::raw_tp | Feature::ringbuf});
  EXPECT_STREQ(choices[0].program, "typed");
  EXPECT_STREQ(choices[1].program, "only");
  EXPECT_FALSE(impossible(choices));
}

TEST(Plan, what_an_optional_hook_lacks_is_said_and_stops_nobody) {
  const auto choices = choose(kHooks, {.features = Feature::raw_tp});
  EXPECT_STREQ(choices[0].program, "raw");
  EXPECT_EQ(choices[1].program, nullptr);
  EXPECT_EQ(choices[1].reason, "only needs ringbuf, tp_btf");
  EXPECT_FALSE(impossible(choices));
}

TEST(Plan, a_refused_program_is_passed_over_with_the_verifiers_words) {
  const auto choices = choose(kHooks, {.features = Feature::tp_btf | Feature::ringbuf,
                                       .refused = {{"typed", "R1 invalid mem access"}}});
  const auto* required = impossible(choices);
  ASSERT_TRUE(required);
  EXPECT_EQ(required->reason, "typed was refused: R1 invalid mem access; raw needs raw_tp");
}

constexpr Candidate kDear[] = {{"cheap", Feature::fentry},
                               {"dear", Feature::raw_tp, "observers.x.syscalls"}};
constexpr Hook kDearHooks[] = {{"one", Need::optional, Trigger::passive, kDear},
                               {"two", Need::optional, Trigger::passive, kDear}};

TEST(Plan, what_the_whole_machine_pays_for_is_taken_only_where_it_is_asked_for) {
  const auto refused = choose(kDearHooks, {.features = Feature::raw_tp});
  EXPECT_EQ(refused[0].program, nullptr);
  EXPECT_EQ(refused[0].reason, "cheap needs fentry; dear needs observers.x.syscalls: true");

  const auto granted =
      choose(kDearHooks, {.features = Feature::raw_tp, .granted = {"observers.x.syscalls"}});
  EXPECT_STREQ(granted[0].program, "dear");
  EXPECT_STREQ(granted[1].program, "dear");

  const auto needless = choose(kDearHooks, {.features = Feature::raw_tp | Feature::fentry,
                                            .granted = {"observers.x.syscalls"}});
  EXPECT_STREQ(needless[0].program, "cheap");
}

TEST(Kernel, finds_hierarchies_in_mountinfo) {
  const auto found = parse_mountinfo(
      "25 30 0:22 / /sys/fs/cgroup ro,nosuid shared:9 - tmpfs tmpfs ro,mode=755\n"
      "26 25 0:23 / /sys/fs/cgroup/unified rw,relatime shared:10 - cgroup2 cgroup2 rw\n"
      "27 25 0:24 / /sys/fs/cgroup/cpu,cpuacct rw shared:11 - cgroup cgroup rw,cpu,cpuacct\n"
      "28 25 0:25 / /sys/fs/cgroup/memory rw shared:12 - cgroup cgroup rw,memory\n"
      "a broken line\n");
  EXPECT_EQ(found.v2, "/sys/fs/cgroup/unified");
  EXPECT_EQ(found.v1.at("memory"), "/sys/fs/cgroup/memory");
  EXPECT_EQ(found.v1.at("cpu"), "/sys/fs/cgroup/cpu,cpuacct");
  EXPECT_FALSE(found.v1.contains("pids"));
}

}  // namespace
}  // namespace tapio::capture
