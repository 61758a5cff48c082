// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include "collected.hpp"
#include "oom_score_config.hpp"
#include "oom_score_hooks.hpp"
#include "oom_score_observer.hpp"

namespace tapio::oom_score {
namespace {

using capture::Feature;
using testing::IsEmpty;
using testing::SizeIs;

// As the kernel side lays it out: process 100 makes redis exempt.
tapio_oom_score_changed event() {
  return {.header = {.time_ns = 5'000'000'000,
                     .cgroup_id = 7,
                     .tgid = 100,
                     .tid = 101,
                     .size = sizeof(tapio_oom_score_changed),
                     .kind = TAPIO_OOM_SCORE_CHANGED,
                     .version = TAPIO_OOM_SCORE_CHANGED_VERSION,
                     .event_class = TAPIO_NORMAL},
          .target_tgid = 200,
          .adjustment = TAPIO_OOM_SCORE_NEVER,
          .target_comm = "redis"};
}

Status feed(const tapio_oom_score_changed& event, Output& out) {
  OomScoreObserver observer;
  return observer.on_sample(TRY(wire::open_sample(std::as_bytes(std::span(&event, 1)))), out);
}

TEST(OomScore, a_change_becomes_a_record_of_who_made_it_and_whose_it_is) {
  Collected out;
  ASSERT_TRUE(feed(event(), out));
  ASSERT_THAT(out.records, SizeIs(1));
  EXPECT_EQ(out.records[0].schema, &kChanged);
  EXPECT_EQ(out.records[0].origin.pid, 100u);
  EXPECT_EQ(out.records[0].origin.tid, 101u);
  EXPECT_EQ(out.records[0].origin.cgroup_id, 7u);
  EXPECT_EQ(out.get<std::uint64_t>("oom_score.target.pid"), 200u);
  EXPECT_EQ(out.text("oom_score.target.name"), "redis");
  EXPECT_EQ(out.get<std::int64_t>("oom_score.adjustment"), -1000);
}

TEST(OomScore, a_name_without_an_end_stops_where_its_field_does) {
  auto e = event();
  std::ranges::fill(e.target_comm, 'x');
  Collected out;
  ASSERT_TRUE(feed(e, out));
  EXPECT_EQ(out.text("oom_score.target.name"), std::string(TAPIO_COMM_LEN, 'x'));
}

TEST(OomScore, malformed_samples_are_refused) {
  Collected out;
  auto e = event();
  e.header.kind = 0xfe09;
  EXPECT_FALSE(feed(e, out));
  e = event();
  e.header.version = 2;
  EXPECT_FALSE(feed(e, out));
  e = event();
  e.header.size = sizeof e - 1;
  EXPECT_FALSE(feed(e, out));
  EXPECT_THAT(out.records, IsEmpty());
}

TEST(OomScore, the_typed_program_is_taken_where_the_kernel_has_it_and_the_raw_one_elsewhere) {
  const auto chosen = [](Feature features) {
    return capture::choose(kHooks, {.features = features})[TAPIO_OOM_SCORE_ON_UPDATE].program;
  };
  EXPECT_STREQ(chosen(Feature::btf | Feature::tp_btf | Feature::raw_tp), "changed_btf");
  EXPECT_STREQ(chosen(Feature::btf | Feature::raw_tp), "changed_raw");
  EXPECT_EQ(chosen(Feature::raw_tp), nullptr);
}

TEST(OomScore, a_ring_that_is_no_power_of_two_is_refused) {
  EXPECT_TRUE(Config{}.check());
  EXPECT_FALSE(Config{.ring = ByteSize{100'000}}.check());
}

}  // namespace
}  // namespace tapio::oom_score
