// SPDX-License-Identifier: Apache-2.0
#include "dns_library.hpp"

#include <gmock/gmock.h>
#include <netdb.h>

#include "collected.hpp"
#include "dns_config.hpp"
#include "dns_library.abi.h"
#include "dns_observer.hpp"
#include "dns_samples.hpp"

namespace tapio::dns {
namespace {

using namespace std::chrono_literals;

constexpr MonotonicTime kStart = 1000s;

std::vector<std::byte> call_sample(MonotonicTime began, MonotonicTime ended, std::string_view name,
                                   std::int32_t result = 0) {
  const tapio_dns_library e{
      .header = {.time_ns = static_cast<std::uint64_t>((kStart + ended).count()),
                 .cgroup_id = 7,
                 .tgid = 100,
                 .tid = 100,
                 .size = static_cast<std::uint16_t>(sizeof e + name.size()),
                 .kind = TAPIO_DNS_LIBRARY,
                 .version = TAPIO_DNS_LIBRARY_VERSION,
                 .event_class = TAPIO_BULK},
      .began_ns = static_cast<std::uint64_t>((kStart + began).count()),
      .result = result,
      .name = {.offset = sizeof e, .size = static_cast<std::uint16_t>(name.size())}};
  std::vector<std::byte> bytes(sizeof e + name.size());
  std::memcpy(bytes.data(), &e, sizeof e);
  std::memcpy(bytes.data() + sizeof e, name.data(), name.size());
  return bytes;
}

class DnsLibraryTest : public testing::Test {
 protected:
  void feed(const std::vector<std::byte>& bytes) {
    const auto sample = wire::open_sample(bytes);
    ASSERT_TRUE(sample && observer_.on_sample(*sample, out_));
  }
  // A query of the thread that calls, and its answer.
  void looks_up(MonotonicTime asked, MonotonicTime answered, std::uint16_t id) {
    feed(sample_of({.time = kStart + asked}, Wire::query(id, "www.example", kA)));
    feed(sample_of({.time = kStart + answered, .direction = TAPIO_DNS_RECEIVED, .is_sender = false},
                   Wire::answer(id, "www.example", kA)));
  }
  void calls(MonotonicTime began, MonotonicTime ended, std::int32_t result = 0) {
    feed(call_sample(began, ended, "www.example", result));
  }
  static Config with_library() {
    Config config;
    config.library = true;
    return config;
  }

  Collected out_;
  DnsObserver observer_{with_library()};
};

TEST_F(DnsLibraryTest, a_call_says_how_much_of_its_time_passed_on_the_wire) {
  looks_up(10ms, 30ms, 1);
  looks_up(40ms, 45ms, 2);
  calls(5ms, 105ms);
  EXPECT_EQ(out_.records.back().schema->name, "dns.library");
  EXPECT_EQ(out_.text("dns.question.name"), "www.example");
  EXPECT_EQ(out_.get<std::chrono::nanoseconds>("dns.library.duration"), 100ms);
  EXPECT_EQ(out_.get<std::chrono::nanoseconds>("dns.wire.duration"), 25ms);
  EXPECT_EQ(out_.get<std::uint64_t>("dns.wire.queries"), 2u);
  EXPECT_FALSE(out_.known("error.type"));
}

TEST_F(DnsLibraryTest, queries_that_wait_at_once_wait_once) {
  feed(sample_of({.time = kStart + 10ms}, Wire::query(1, "www.example", kA)));
  looks_up(11ms, 20ms, 2);
  feed(sample_of({.time = kStart + 30ms, .direction = TAPIO_DNS_RECEIVED, .is_sender = false},
                 Wire::answer(1, "www.example", kA)));
  calls(10ms, 40ms);
  EXPECT_EQ(out_.get<std::chrono::nanoseconds>("dns.wire.duration"), 20ms);
}

TEST_F(DnsLibraryTest, a_query_without_an_answer_waits_to_the_end_of_the_call) {
  feed(sample_of({.time = kStart + 10ms}, Wire::query(1, "www.example", kA)));
  calls(0ms, 2s, EAI_AGAIN);
  EXPECT_EQ(out_.get<std::chrono::nanoseconds>("dns.wire.duration"), 1990ms);
  EXPECT_EQ(out_.text("error.type"), "EAI_AGAIN");
}

TEST_F(DnsLibraryTest, what_was_asked_before_the_call_is_not_its_own) {
  looks_up(10ms, 30ms, 1);
  calls(50ms, 60ms);
  EXPECT_FALSE(out_.known("dns.wire.duration"));
  EXPECT_EQ(out_.get<std::uint64_t>("dns.wire.queries"), 0u);
}

TEST_F(DnsLibraryTest, a_library_that_is_slow_on_its_own_is_found_after_five_calls) {
  for (int i = 0; i < 5; ++i) {
    EXPECT_NE(out_.records.empty() ? "" : out_.records.back().schema->name, "dns.slow_library");
    const auto begin = i * 2s;
    looks_up(begin + 1ms, begin + 5ms, static_cast<std::uint16_t>(i));
    calls(begin, begin + 700ms);
  }
  ASSERT_EQ(out_.records.back().schema->name, "dns.slow_library");
  EXPECT_EQ(out_.get<std::uint64_t>("count"), 5u);
  EXPECT_EQ(out_.get<std::span<const std::string_view>>("evidence")->size(), 5u);
}

TEST_F(DnsLibraryTest, a_slow_wire_is_not_the_librarys_fault) {
  for (int i = 0; i < 10; ++i) {
    const auto begin = i * 2s;
    looks_up(begin + 1ms, begin + 690ms, static_cast<std::uint16_t>(i));
    calls(begin, begin + 700ms);
  }
  for (const Record& record : out_.records) EXPECT_NE(record.schema->name, "dns.slow_library");
}

TEST_F(DnsLibraryTest, a_name_with_odd_bytes_can_be_shown) {
  feed(call_sample(0ms, 1ms, "a\x1b[2Jb\xff"));
  EXPECT_EQ(out_.text("dns.question.name"), "a\\027[2Jb\\255");
}

TEST_F(DnsLibraryTest, a_call_that_ended_before_it_began_is_malformed) {
  const auto bytes = call_sample(2ms, 1ms, "www.example");
  EXPECT_FALSE(observer_.on_sample(*wire::open_sample(bytes), out_));
}

}  // namespace
}  // namespace tapio::dns
