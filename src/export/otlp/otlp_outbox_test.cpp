// SPDX-License-Identifier: Apache-2.0
#include "otlp_outbox.hpp"

#include <gtest/gtest.h>

#include <thread>

#include "temporary.hpp"

namespace tapio::otlp {
namespace {

using namespace std::chrono_literals;
using What = Outcome::What;

constexpr Backoff kAtOnce{.first = 0ms, .longest = 0ms};
constexpr Backoff kHours{.first = 1h, .longest = 1h};

Request request(std::string body, std::uint64_t records = 1, Signal signal = Signal::logs) {
  Request made{.signal = signal, .body = std::move(body)};
  made.tally.counts[TAPIO_NORMAL][0] = records;
  return made;
}

class Outboxes : public testing::Test {
 protected:
  std::unique_ptr<Outbox> open(Backoff backoff = kAtOnce) {
    return std::make_unique<Outbox>(
        std::make_unique<Spool>(directory_.file("spool"), ByteSize{16 << 20}), backoff);
  }
  static Status put(Outbox& outbox, Request one) {
    std::vector<Request> requests;
    requests.push_back(std::move(one));
    return outbox.put(requests);
  }
  static Outbox::Parcel next(Outbox& outbox) {
    auto parcel = outbox.next(std::stop_source().get_token());
    EXPECT_TRUE(parcel);
    return parcel.value_or(Outbox::Parcel{std::make_shared<const Request>(), {}});
  }
  static void expect_next(Outbox& outbox, const std::string& body, bool on_disk,
                          const Outcome& outcome = {}) {
    const auto parcel = next(outbox);
    EXPECT_EQ(parcel.request->body, body);
    EXPECT_EQ(parcel.row.has_value(), on_disk) << body;
    outbox.done(parcel, outcome);
  }

  Temporary directory_;
};

TEST_F(Outboxes, hold_one_request_in_memory_and_the_others_on_disk_in_their_order) {
  const auto outbox = open();
  for (const auto* body : {"a", "b", "c"}) ASSERT_TRUE(put(*outbox, request(body)));
  EXPECT_EQ(outbox->waiting(), 3u);
  expect_next(*outbox, "a", false);
  ASSERT_TRUE(put(*outbox, request("d")));
  expect_next(*outbox, "b", true);
  expect_next(*outbox, "c", true);
  expect_next(*outbox, "d", true);
  EXPECT_EQ(outbox->waiting(), 0u);
  ASSERT_TRUE(put(*outbox, request("e")));
  expect_next(*outbox, "e", false);
  EXPECT_EQ(outbox->settle().sent.total(), 5u);
  EXPECT_EQ(outbox->settle().sent.total(), 0u);
}

TEST_F(Outboxes, keep_what_could_not_be_sent_and_give_it_again) {
  const auto outbox = open();
  ASSERT_TRUE(put(*outbox, request("a", 3)));
  for (int i = 0; i < 5; ++i) expect_next(*outbox, "a", false, {.what = What::later});
  EXPECT_EQ(outbox->settle().sent.total(), 0u);
  expect_next(*outbox, "a", false);
  EXPECT_EQ(outbox->settle().sent.total(), 3u);
}

TEST_F(Outboxes, wait_as_long_as_the_receiver_asks_for) {
  const auto outbox = open();
  ASSERT_TRUE(put(*outbox, request("a")));
  EXPECT_EQ(outbox->done(next(*outbox), {.what = What::later, .retry_after = 7s}), 7s);
}

TEST_F(Outboxes, wait_no_longer_than_the_bound_whatever_the_receiver_asks_for) {
  const auto outbox = open();
  ASSERT_TRUE(put(*outbox, request("a")));
  EXPECT_EQ(outbox->done(next(*outbox), {.what = What::later, .retry_after = 1'000'000s}),
            Outbox::kLongestPause);
}

TEST_F(Outboxes, do_not_let_a_signal_wait_for_another_whose_receiver_is_away) {
  const auto outbox = open(kHours);
  ASSERT_TRUE(put(*outbox, request("log")));
  outbox->done(next(*outbox), {.what = What::later});
  ASSERT_TRUE(put(*outbox, request("log 2")));
  ASSERT_TRUE(put(*outbox, request("span", 1, Signal::traces)));
  expect_next(*outbox, "span", false);
  outbox->wait_until_idle(Outbox::Time::max());  // does not wait for who is away
  EXPECT_EQ(outbox->waiting(), 2u);
}

TEST_F(Outboxes, count_what_was_refused_and_what_was_rejected_of_a_request) {
  const auto outbox = open();
  ASSERT_TRUE(put(*outbox, request("a", 10)));
  expect_next(*outbox, "a", false, {.what = What::refused});
  ASSERT_TRUE(put(*outbox, request("b", 10)));
  expect_next(*outbox, "b", false, {.what = What::taken, .rejected = 4});
  ASSERT_TRUE(put(*outbox, request("c", 10)));
  expect_next(*outbox, "c", false, {.what = What::taken, .rejected = 1'000'000});
  const Settled settled = outbox->settle();
  EXPECT_EQ(settled.dropped.total(), 10u + 4 + 10);
  EXPECT_EQ(settled.sent.total(), 6u);
}

TEST_F(Outboxes, put_away_what_is_in_memory_for_the_next_run) {
  {
    const auto outbox = open();
    ASSERT_TRUE(put(*outbox, request("a", 2)));
    ASSERT_TRUE(put(*outbox, request("m", 3, Signal::metrics)));
    outbox->put_away();
    EXPECT_EQ(outbox->settle().dropped.total(), 0u);
  }
  auto spool = std::make_unique<Spool>(directory_.file("spool"), ByteSize{16 << 20});
  ASSERT_TRUE(spool->open());
  Outbox outbox(std::move(spool), kAtOnce);
  EXPECT_EQ(outbox.settle().found.total(), 5u);
  expect_next(outbox, "a", true);
  expect_next(outbox, "m", true);
}

TEST_F(Outboxes, refuse_what_has_no_place_without_a_spool_and_lose_the_rest_at_the_end) {
  Outbox outbox(nullptr, kAtOnce);
  ASSERT_TRUE(put(outbox, request("a", 2)));
  std::vector<Request> both;
  both.push_back(request("b"));
  both.push_back(request("m", 1, Signal::metrics));
  const auto refused = outbox.put(both);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().fault, Fault::unavailable);
  EXPECT_EQ(both.size(), 2u) << "all or none";
  EXPECT_EQ(outbox.waiting(), 1u);
  outbox.put_away();
  EXPECT_EQ(outbox.settle().dropped.total(), 2u);
}

TEST_F(Outboxes, wake_the_sender_for_a_request_and_for_a_stop) {
  const auto outbox = open();
  std::stop_source stop;
  std::optional<Outbox::Parcel> first, second;
  std::jthread sender([&] {
    first = outbox->next(stop.get_token());
    if (first) outbox->done(*first, {});
    second = outbox->next(stop.get_token());
  });
  ASSERT_TRUE(put(*outbox, request("a")));
  while (outbox->waiting() > 0) std::this_thread::yield();
  stop.request_stop();
  sender.join();
  ASSERT_TRUE(first);
  EXPECT_FALSE(second);
}

}  // namespace
}  // namespace tapio::otlp
