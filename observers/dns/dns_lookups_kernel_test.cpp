// SPDX-License-Identifier: Apache-2.0
// Limits on the live kernel: they let whole lookups through.
#include <thread>

#include "dns.abi.h"
#include "dns_cable.hpp"
#include "dns_config.hpp"
#include "dns_lookups.abi.h"
#include "dns_loopback.hpp"
#include "dns_messages.hpp"
#include "rig.hpp"

namespace tapio::dns {

extern const Descriptor descriptor;

namespace {

using namespace std::chrono_literals;

constexpr std::uint16_t kAtOnce = 32, kRounds = 30;

std::string query(std::uint16_t id) {
  return Wire::query(id, "a.example", kA).text();
}

std::string answer(std::uint16_t id) {
  return Wire::answer(id, "a.example", kA).text();
}

// Many lookups under way at once, as resolvers of busy machines have them.
int ask_in_rounds() {
  if (!enter_own_network()) return 1;
  Udp server("127.0.0.1", own_port()), client("127.0.0.1", 0);
  for (int round = 0; round < kRounds; ++round) {
    const auto first = static_cast<std::uint16_t>(round * kAtOnce);
    for (std::uint16_t n = 0; n < kAtOnce; ++n)
      if (!client.send(query(first + n), "127.0.0.1", own_port())) return 2;
    for (std::uint16_t n = 0; n < kAtOnce; ++n)
      if (!server.receive() || !server.answer(answer(first + n)) || !client.receive()) return 3;
    std::this_thread::sleep_for(1ms);
  }
  return 0;
}

class DnsLookupsOnKernel : public OnEveryPath {
 protected:
  void watch(std::uint32_t packets_per_second) {
    auto section = config::section<Config>();
    auto& config = section->as<Config>();
    config.ports = {own_port()};
    config.packets_per_second = packets_per_second;
    config.rate_per_second = 0;
    config.ring = ByteSize{4 << 20};
    rig_ = std::make_unique<Rig>(descriptor, *section, Rig::Options{.self_tgid = 1});
  }
  void after(const std::function<int()>& act) {
    ASSERT_EQ(wait_for(child(act)), 0);
    rig_->drain();
  }
  [[nodiscard]] std::uint64_t told(tapio_dns_hook hook, tapio_outcome outcome) const {
    std::uint64_t sum = 0;
    for (const auto& account : rig_->balance(hook).row.classes) sum += account.outcome[outcome];
    return sum;
  }

  std::unique_ptr<Rig> rig_;
};
INSTANTIATE_TEST_SUITE_P(Paths, DnsLookupsOnKernel, kEveryPath, path_name);

TEST_P(DnsLookupsOnKernel, an_answer_goes_where_its_query_went) {
  watch(200);
  after(ask_in_rounds);
  const auto queries = told(TAPIO_DNS_ON_SEND, TAPIO_EMITTED);
  EXPECT_GT(queries, 0u);
  EXPECT_LT(queries, std::uint64_t{kAtOnce * kRounds}) << "or there was no limit";
  EXPECT_EQ(told(TAPIO_DNS_ON_RECEIVE, TAPIO_EMITTED), queries);
  EXPECT_EQ(told(TAPIO_DNS_ON_SEND, TAPIO_RATE_LIMITED), kAtOnce * kRounds - queries);
  EXPECT_EQ(told(TAPIO_DNS_ON_RECEIVE, TAPIO_RATE_LIMITED), kAtOnce * kRounds - queries);
  EXPECT_EQ(rig_->counter("unasked"), 0u);
  std::uint64_t answered = 0;
  for (const Record& record : rig_->out.records)
    if (record.schema->name == "dns.query" &&
        field<std::string_view>(record, "dns.outcome") == "answered")
      answered++;
  EXPECT_EQ(answered, queries);
}

TEST_P(DnsLookupsOnKernel, what_is_sampled_out_is_so_as_a_whole) {
  watch(0);
  capture::Restraint one_in_four;
  one_in_four.keep_one_in[TAPIO_NORMAL] = one_in_four.keep_one_in[TAPIO_BULK] = 4;
  ASSERT_TRUE(rig_->programs->restrain(one_in_four));
  after(ask_in_rounds);
  const auto queries = told(TAPIO_DNS_ON_SEND, TAPIO_EMITTED);
  EXPECT_GT(queries, 0u);
  EXPECT_EQ(told(TAPIO_DNS_ON_RECEIVE, TAPIO_EMITTED), queries);
  EXPECT_EQ(told(TAPIO_DNS_ON_RECEIVE, TAPIO_SAMPLED_OUT), kAtOnce * kRounds - queries);
  EXPECT_EQ(rig_->counter("unasked"), 0u);
}

TEST_P(DnsLookupsOnKernel, no_more_than_a_few_messages_follow_one_query) {
  static constexpr std::uint16_t kLookups = 50;
  static constexpr int kAnswers = 40;
  watch(10);
  after([] {
    if (!enter_own_network()) return 1;
    Udp server("127.0.0.1", own_port()), client("127.0.0.1", 0);
    for (std::uint16_t id = 0; id < kLookups; ++id) {
      if (!client.send(query(id), "127.0.0.1", own_port()) || !server.receive()) return 2;
      for (int n = 0; n < kAnswers; ++n)
        if (!server.answer(answer(id)) || !client.receive()) return 3;
      std::this_thread::sleep_for(8ms);
    }
    return 0;
  });
  const auto queries = told(TAPIO_DNS_ON_SEND, TAPIO_EMITTED);
  const auto answers = told(TAPIO_DNS_ON_RECEIVE, TAPIO_EMITTED);
  EXPECT_GT(queries, 0u);
  EXPECT_LT(queries, kLookups) << "or there was no limit";
  EXPECT_GE(answers, queries * TAPIO_DNS_FOLLOWERS);
  // The others went by themselves, and answers have a limit of their own that is the same.
  EXPECT_LE(answers, queries * (TAPIO_DNS_FOLLOWERS + 2) + 5);
}

TEST_P(DnsLookupsOnKernel, a_query_that_is_sent_again_has_to_pass_the_limit_again) {
  static constexpr std::uint64_t kTimes = 50;
  watch(20);
  after([] {
    if (!enter_own_network()) return 1;
    const Udp server("127.0.0.1", own_port()), client("127.0.0.1", 0);
    for (std::uint64_t n = 0; n < kTimes; ++n) {
      if (!client.send(query(7), "127.0.0.1", own_port())) return 2;
      std::this_thread::sleep_for(std::chrono::nanoseconds(TAPIO_DNS_REPEAT_NS) + 1ms);
    }
    return 0;
  });
  const auto queries = told(TAPIO_DNS_ON_SEND, TAPIO_EMITTED);
  EXPECT_GT(queries, 0u);
  EXPECT_LT(queries, kTimes / 2);
}

TEST_P(DnsLookupsOnKernel, what_passes_several_devices_goes_as_a_whole) {
  if (!has_cables()) GTEST_SKIP() << "this kernel has no veth";
  constexpr CableEnds kEnds{.client = "10.77.3.1", .server = "10.77.3.53"};
  constexpr std::uint16_t kLookups = 100;
  watch(20);
  after([&] {
    const auto serve = [&](const auto& listens) {
      Udp server(kEnds.server, own_port());
      if (!listens()) return false;
      for (std::uint16_t id = 0; id < kLookups; ++id)
        if (!server.receive() || !server.answer(answer(id))) return false;
      return true;
    };
    return ask_by_cable(kEnds, serve, [&] {
      Udp client(kEnds.client, 0);
      for (std::uint16_t id = 0; id < kLookups; ++id)
        if (!client.send(query(id), kEnds.server, own_port()) || !client.receive()) return false;
      return true;
    });
  });
  // Each message is sent once and received once.
  const auto sent = told(TAPIO_DNS_ON_SEND, TAPIO_EMITTED);
  EXPECT_GT(sent, 0u);
  EXPECT_LT(sent, std::uint64_t{2 * kLookups}) << "or there was no limit";
  EXPECT_EQ(told(TAPIO_DNS_ON_RECEIVE, TAPIO_EMITTED), sent);
  EXPECT_EQ(rig_->counter("unasked"), 0u);
}

TEST_P(DnsLookupsOnKernel, what_a_busy_resolver_has_under_way_finds_places) {
  static constexpr std::uint16_t kSockets = 8, kEach = 64;
  watch(0);
  after([] {
    if (!enter_own_network()) return 1;
    const Udp server("127.0.0.1", own_port());
    for (std::uint16_t n = 0; n < kSockets; ++n) {
      const Udp client("127.0.0.1", 0);
      for (std::uint16_t id = 0; id < kEach; ++id)
        if (!client.send(query(id), "127.0.0.1", own_port())) return 2;
    }
    return 0;
  });
  EXPECT_LT(rig_->counter("crowded"), std::uint64_t{kSockets * kEach / 20});
}

TEST_P(DnsLookupsOnKernel, lookups_without_a_place_are_counted_and_told) {
  static constexpr std::uint32_t kMany = 3 * TAPIO_DNS_ASKED_SETS * TAPIO_DNS_ASKED_PLACES;
  watch(0);
  after([] {
    if (!enter_own_network()) return 1;
    const Udp server("127.0.0.1", own_port()), client("127.0.0.1", 0);
    for (std::uint32_t id = 0; id < kMany; ++id)
      if (!client.send(query(static_cast<std::uint16_t>(id)), "127.0.0.1", own_port())) return 2;
    return 0;
  });
  EXPECT_EQ(told(TAPIO_DNS_ON_SEND, TAPIO_EMITTED) + told(TAPIO_DNS_ON_SEND, TAPIO_RING_FULL),
            kMany);
  EXPECT_GE(rig_->counter("crowded"), std::uint64_t{kMany} * 2 / 3);
  EXPECT_LT(rig_->counter("crowded"), std::uint64_t{kMany});
}

}  // namespace
}  // namespace tapio::dns
