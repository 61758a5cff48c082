// SPDX-License-Identifier: Apache-2.0
#include "export/outlet.hpp"

#include <gtest/gtest.h>

#include <latch>
#include <vector>

namespace tapio {
namespace {

using namespace std::chrono_literals;

constexpr SchemaOf kEvent{"test.event", Kind::event, "", Field{"n", Type::u64, ""}};
constexpr SchemaOf kGap{"test.gap", Kind::gap, "", Field{"n", Type::u64, ""}};

std::shared_ptr<const Batch> batch(std::size_t records, std::uint64_t first = 0,
                                   tapio_class event_class = TAPIO_NORMAL) {
  auto out = std::make_shared<Batch>();
  for (std::size_t i = 0; i < records; ++i)
    out->records.push_back(kEvent({.event_class = event_class}, first + i));
  return out;
}

constexpr OutletLimits kAtOnce{.retry = {.first = 0ms, .longest = 0ms}};
constexpr OutletLimits kHours{.retry = {.first = 1h, .longest = 1h}};

Outlet::Deadline far() {
  return std::chrono::steady_clock::now() + 1h;
}

void expect_balanced(const OutletCounts& counts) {
  EXPECT_EQ(counts.offered, counts.sent + counts.dropped() + counts.pending);
}

// What the sink is to do, and what it got. `answers` run out: everything is taken.
struct Script {
  std::mutex mutex{};
  std::vector<Fault> answers{};
  std::vector<std::uint64_t> taken{};
  std::latch* entered = nullptr;  // counted down by the first write,
  std::latch* go_on = nullptr;    // which then waits for this one
};

struct Named {
  std::uint64_t number = 0;
  static constexpr auto settings() {
    return std::tuple{Setting{"number", &Named::number, "Which."}.on_reload()};
  }
};

std::unique_ptr<config::Section> named(std::uint64_t number) {
  auto section = config::section<Named>();
  section->as<Named>().number = number;
  return section;
}

class FakeSink final : public Sink {
 public:
  explicit FakeSink(Script& script) : script_(script) {}

  Status write(const Batch& batch) override {
    if (auto* entered = std::exchange(script_.entered, nullptr)) entered->count_down();
    if (auto* go_on = std::exchange(script_.go_on, nullptr)) go_on->wait();
    const std::scoped_lock lock(script_.mutex);
    if (!script_.answers.empty()) {
      const Fault fault = script_.answers.front();
      script_.answers.erase(script_.answers.begin());
      return fail(fault, "as told");
    }
    for (const Record& record : batch.records)
      script_.taken.push_back(std::get<std::uint64_t>(record.values[0]));
    return {};
  }
  void on_settings(const config::Section& settings) override {
    const std::scoped_lock lock(script_.mutex);
    script_.taken.push_back(settings.as<Named>().number);
  }

 private:
  Script& script_;
};

TEST(Outlets, hand_all_batches_to_the_sink_in_order) {
  Script script;
  Outlet outlet("fake", std::make_unique<FakeSink>(script));
  for (std::uint64_t i = 0; i < 100; ++i) outlet.offer(batch(2, 2 * i));
  outlet.stop(far());
  ASSERT_EQ(script.taken.size(), 200u);
  EXPECT_TRUE(std::ranges::is_sorted(script.taken));
  const OutletCounts counts = outlet.counts();
  EXPECT_EQ(counts.offered, 200u);
  EXPECT_EQ(counts.sent, 200u);
  EXPECT_EQ(counts.pending, 0u);
  EXPECT_EQ(counts.queued_bytes, 0u);
  expect_balanced(counts);
}

TEST(Outlets, drop_and_count_what_does_not_fit_while_the_sink_is_busy) {
  std::latch entered(1), go_on(1);
  Script script{.entered = &entered, .go_on = &go_on};
  const std::size_t size = batch(3)->bytes();
  Outlet outlet("fake", std::make_unique<FakeSink>(script), {.queue_bytes = 2 * size});
  outlet.offer(batch(3, 0));
  entered.wait();
  outlet.offer(batch(3, 10));
  outlet.offer(batch(3, 20, TAPIO_BULK));
  auto mixed = std::make_shared<Batch>();
  for (int i = 0; i < 4; ++i) mixed->records.push_back(kGap({.event_class = TAPIO_CRITICAL}, 1u));
  outlet.offer(mixed);

  OutletCounts counts = outlet.counts();
  EXPECT_EQ(counts.pending, 6u);
  EXPECT_EQ(counts.queued_bytes, 2 * size);
  EXPECT_EQ(counts.dropped(DropReason::queue_full).of(TAPIO_BULK, Kind::event), 3u);
  EXPECT_EQ(counts.dropped(DropReason::queue_full).of(TAPIO_CRITICAL, Kind::gap), 4u);
  EXPECT_EQ(counts.dropped(), 7u);
  expect_balanced(counts);

  go_on.count_down();
  outlet.stop(far());
  counts = outlet.counts();
  EXPECT_EQ(counts.sent, 6u);
  EXPECT_EQ(script.taken, (std::vector<std::uint64_t>{0, 1, 2, 10, 11, 12}));
  expect_balanced(counts);
}

TEST(Outlets, give_the_sink_its_newest_settings_before_its_next_write) {
  std::latch entered(1), go_on(1);
  Script script{.entered = &entered, .go_on = &go_on};
  Outlet outlet("fake", std::make_unique<FakeSink>(script));
  outlet.offer(batch(1, 1));
  entered.wait();
  outlet.configure(named(100));
  outlet.configure(named(200));
  outlet.offer(batch(2, 2));
  go_on.count_down();
  outlet.stop(far());
  EXPECT_EQ(script.taken, (std::vector<std::uint64_t>{1, 200, 2, 3}));
}

TEST(Outlets, give_new_settings_also_to_a_sink_that_fails_and_is_tried_again) {
  Script script{.answers = {Fault::unavailable, Fault::unavailable}};
  Outlet outlet("fake", std::make_unique<FakeSink>(script), kAtOnce);
  outlet.configure(named(100));
  outlet.offer(batch(1, 1));
  outlet.stop(far());
  EXPECT_EQ(script.taken, (std::vector<std::uint64_t>{100, 1}));
}

TEST(Outlets, never_take_a_batch_that_is_larger_than_the_queue) {
  Script script;
  Outlet outlet("fake", std::make_unique<FakeSink>(script), {.queue_bytes = 100});
  outlet.offer(batch(5));
  outlet.stop(far());
  EXPECT_EQ(outlet.counts().dropped(DropReason::queue_full).total(), 5u);
  EXPECT_TRUE(script.taken.empty());
}

TEST(Outlets, try_again_until_the_sink_is_available) {
  Script script{.answers = {Fault::unavailable, Fault::unavailable, Fault::unavailable}};
  Outlet outlet("fake", std::make_unique<FakeSink>(script), kAtOnce);
  outlet.offer(batch(1, 7));
  outlet.stop(far());
  EXPECT_EQ(script.taken, std::vector<std::uint64_t>{7});
  EXPECT_EQ(outlet.counts().retries, 3u);
  EXPECT_EQ(outlet.counts().sent, 1u);
}

TEST(Outlets, drop_a_batch_on_any_other_fault_and_go_on) {
  Script script{.answers = {Fault::broken, Fault::denied, Fault::invalid}};
  Outlet outlet("fake", std::make_unique<FakeSink>(script), kHours);
  for (std::uint64_t i = 0; i < 4; ++i) outlet.offer(batch(2, 10 * i));
  outlet.stop(far());
  EXPECT_EQ(script.taken, (std::vector<std::uint64_t>{30, 31}));
  const OutletCounts counts = outlet.counts();
  EXPECT_EQ(counts.dropped(DropReason::failed).of(TAPIO_NORMAL, Kind::event), 6u);
  EXPECT_EQ(counts.retries, 0u);
  expect_balanced(counts);
}

TEST(Outlets, count_what_is_left_at_the_deadline_as_failed) {
  std::latch entered(1), go_on(1);
  Script script{.answers = {Fault::unavailable}, .entered = &entered, .go_on = &go_on};
  Outlet outlet("fake", std::make_unique<FakeSink>(script), kHours);
  for (std::uint64_t i = 0; i < 5; ++i) outlet.offer(batch(1, i));
  entered.wait();
  go_on.count_down();
  outlet.stop(std::chrono::steady_clock::now());
  const OutletCounts counts = outlet.counts();
  EXPECT_EQ(counts.dropped(DropReason::failed).total(), 5u);
  EXPECT_EQ(counts.pending, 0u);
  EXPECT_EQ(counts.queued_bytes, 0u);
  expect_balanced(counts);
  EXPECT_TRUE(script.taken.empty());
}

TEST(Outlets, try_once_more_at_once_when_stopped_while_waiting_to_retry) {
  std::latch entered(1);
  Script script{.answers = {Fault::unavailable}, .entered = &entered};
  Outlet outlet("fake", std::make_unique<FakeSink>(script), kHours);
  outlet.offer(batch(1, 7));
  entered.wait();
  outlet.stop(far());
  EXPECT_EQ(script.taken, std::vector<std::uint64_t>{7});
}

TEST(Outlets, drop_what_is_offered_after_the_stop) {
  Script script;
  Outlet outlet("fake", std::make_unique<FakeSink>(script));
  outlet.stop(far());
  outlet.offer(batch(2));
  outlet.stop(far());
  EXPECT_EQ(outlet.counts().dropped(DropReason::failed).total(), 2u);
  expect_balanced(outlet.counts());
}

TEST(Outlets, keep_their_account_closed_while_many_offer) {
  constexpr int kThreads = 4;
  constexpr int kBatches = 500;
  Script script;
  for (int i = 0; i < 50; ++i) script.answers.push_back(i % 2 ? Fault::unavailable : Fault::broken);
  Outlet outlet("fake", std::make_unique<FakeSink>(script),
                {.queue_bytes = 20 * batch(3)->bytes(), .retry = kAtOnce.retry});
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < kThreads; ++i)
      threads.emplace_back([&] {
        for (int j = 0; j < kBatches; ++j) {
          outlet.offer(batch(3));
          expect_balanced(outlet.counts());
        }
      });
  }
  outlet.stop(far());
  const OutletCounts counts = outlet.counts();
  EXPECT_EQ(counts.offered, 3u * kThreads * kBatches);
  EXPECT_EQ(counts.pending, 0u);
  EXPECT_EQ(counts.sent, script.taken.size());
  expect_balanced(counts);
}

TEST(Outlets, take_no_notice_of_batches_without_records) {
  Script script{.answers = {Fault::broken}};
  Outlet outlet("fake", std::make_unique<FakeSink>(script));
  outlet.offer(std::make_shared<Batch>());
  outlet.stop(far());
  EXPECT_EQ(outlet.counts().offered, 0u);
  EXPECT_EQ(script.answers.size(), 1u);
}

// Takes groups, and remembers how large they were.
class GatheringSink final : public Sink {
 public:
  GatheringSink(Gathering gathering, std::vector<std::size_t>& groups, std::mutex& mutex)
      : gathering_(gathering), groups_(groups), mutex_(mutex) {}
  Status write(const Batch&) override { return fail(Fault::broken, "wants groups"); }
  [[nodiscard]] Gathering gathering() const override { return gathering_; }
  Status write_group(Group group) override {
    const std::scoped_lock lock(mutex_);
    groups_.push_back(group.size());
    return refused_once_++ == 0 ? Status(fail(Fault::unavailable, "as told")) : Status();
  }

 private:
  const Gathering gathering_;
  std::vector<std::size_t>& groups_;
  std::mutex& mutex_;
  int refused_once_ = 0;
};

TEST(Outlets, gather_until_there_are_enough_records_and_try_the_group_again) {
  std::mutex mutex;
  std::vector<std::size_t> groups;
  const Gathering gathering{.time = 1h, .records = 6};
  Outlet outlet("fake", std::make_unique<GatheringSink>(gathering, groups, mutex), kAtOnce);
  for (int i = 0; i < 3; ++i) outlet.offer(batch(2));
  while (outlet.counts().pending > 0) std::this_thread::yield();
  EXPECT_EQ(groups, (std::vector<std::size_t>{3, 3})) << "refused once, then taken";
  EXPECT_EQ(outlet.counts().sent, 6u);
  outlet.offer(batch(2));
  outlet.stop(far());
  EXPECT_EQ(groups.back(), 1u) << "a stop does not wait for more";
  EXPECT_EQ(outlet.counts().sent, 8u);
  expect_balanced(outlet.counts());
}

TEST(Outlets, hand_over_at_once_what_is_urgent_with_all_that_waits) {
  std::mutex mutex;
  std::vector<std::size_t> groups;
  const Gathering gathering{.time = 1h, .records = 1000};
  Outlet outlet("fake", std::make_unique<GatheringSink>(gathering, groups, mutex), kAtOnce);
  outlet.offer(batch(2));
  outlet.offer(batch(1, 0, TAPIO_CRITICAL));
  while (outlet.counts().pending > 0) std::this_thread::yield();
  EXPECT_EQ(outlet.counts().sent, 3u);
}

TEST(Outlets, hand_over_what_waited_long_enough) {
  std::mutex mutex;
  std::vector<std::size_t> groups;
  const Gathering gathering{.time = 1ms, .records = 1000};
  Outlet outlet("fake", std::make_unique<GatheringSink>(gathering, groups, mutex), kAtOnce);
  outlet.offer(batch(2));
  while (outlet.counts().pending > 0) std::this_thread::yield();
  EXPECT_EQ(outlet.counts().sent, 2u);
}

// Keeps what it gets, until it is told to hand it on.
class KeepingSink final : public Sink {
 public:
  struct Hands {
    std::mutex mutex{};
    Tally kept{};
    bool open = false;
    bool broken = false;
  };
  explicit KeepingSink(Hands& hands) : hands_(hands), found_(hands.kept) {}

  Status write(const Batch& batch) override {
    const std::scoped_lock lock(hands_.mutex);
    hands_.kept.add(batch);
    return {};
  }
  [[nodiscard]] bool keeps() const override { return true; }
  Settled settle() override {
    const std::scoped_lock lock(hands_.mutex);
    Settled settled{.found = std::exchange(found_, {})};
    if (hands_.open)
      (hands_.broken ? settled.dropped : settled.sent) = std::exchange(hands_.kept, {});
    return settled;
  }
  void finish(Outlet::Deadline) override {
    const std::scoped_lock lock(hands_.mutex);
    hands_.open = true;
  }

 private:
  Hands& hands_;
  Tally found_;
};

TEST(Outlets, count_what_a_sink_keeps_as_pending_until_it_is_handed_on) {
  KeepingSink::Hands hands;
  Outlet outlet("fake", std::make_unique<KeepingSink>(hands));
  outlet.offer(batch(3));
  while (outlet.counts().kept < 3) std::this_thread::yield();
  EXPECT_EQ(outlet.counts().sent, 0u);
  EXPECT_EQ(outlet.counts().pending, 3u);
  EXPECT_EQ(outlet.counts().queued_bytes, 0u);
  expect_balanced(outlet.counts());
  {
    const std::scoped_lock lock(hands.mutex);
    hands.open = true;
  }
  while (outlet.counts().pending > 0) std::this_thread::yield();
  EXPECT_EQ(outlet.counts().sent, 3u);
  EXPECT_EQ(outlet.counts().kept, 0u);
  expect_balanced(outlet.counts());
}

TEST(Outlets, count_what_a_sink_kept_and_lost_by_what_it_was) {
  KeepingSink::Hands hands{.broken = true};
  Outlet outlet("fake", std::make_unique<KeepingSink>(hands));
  outlet.offer(batch(3, 0, TAPIO_BULK));
  outlet.stop(far());
  const OutletCounts counts = outlet.counts();
  EXPECT_EQ(counts.dropped(DropReason::not_kept).of(TAPIO_BULK, Kind::event), 3u);
  EXPECT_EQ(counts.dropped(), 3u);
  expect_balanced(counts);
}

TEST(Outlets, count_what_an_earlier_run_left_with_a_sink) {
  KeepingSink::Hands hands;
  hands.kept.add(*batch(5));
  Outlet outlet("fake", std::make_unique<KeepingSink>(hands));
  while (outlet.counts().kept < 5) std::this_thread::yield();
  EXPECT_EQ(outlet.counts().offered, 5u);
  outlet.offer(batch(1));
  outlet.stop(far());
  EXPECT_EQ(outlet.counts().sent, 6u);
  expect_balanced(outlet.counts());
}

}  // namespace
}  // namespace tapio
