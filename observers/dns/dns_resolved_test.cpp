// SPDX-License-Identifier: Apache-2.0
#include "dns_resolved.hpp"

#include <gmock/gmock.h>

#include <map>

#include "collected.hpp"
#include "dns_conversation.hpp"

namespace tapio::dns {
namespace {

using DnsTest = Conversation<Collected>;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

class ResolvedTest : public DnsTest {
 protected:
  void asks_and_is_told(std::string_view name, const Wire& answer) {
    asks(0ms, 7, name);
    answers(1ms, answer, kReceived);
  }
  std::vector<std::uint8_t> last_bytes() const {
    std::vector<std::uint8_t> list;
    for (const IpAddress& address : out_.only<NameResolved>().addresses)
      list.push_back(address.bytes[address.version == 4 ? 3 : 15]);
    return list;
  }
  static std::string ipv4(char last) { return std::string("\xc0\x00\x02", 3) + last; }
  static constexpr std::string_view kQuestion = "\xc0\x0c";
};

TEST_F(ResolvedTest, an_answer_with_addresses_is_a_fact_of_who_asked) {
  auto answer = Wire::answer(7, "Www.example", kA);
  answer.record(kQuestion, kA, 300, ipv4(1)).record(kQuestion, kA, 60, ipv4(2));
  asks_and_is_told("Www.example", answer);
  ASSERT_THAT(out_.facts, SizeIs(1));
  const auto& fact = out_.only<NameResolved>();
  EXPECT_EQ(fact.name, "Www.example");
  EXPECT_EQ(fact.process, (ProcessId{.pid = 100}));
  EXPECT_EQ(fact.cgroup_id, 7u);
  EXPECT_EQ(fact.time, kStart + 1ms);
  EXPECT_EQ(fact.evidence, out_.records[0].id);
  EXPECT_EQ(fact.ttl, 60s);
  EXPECT_THAT(last_bytes(), ElementsAre(1, 2));
}

TEST_F(ResolvedTest, names_lead_to_addresses_through_aliases) {
  auto answer = Wire::answer(7, "www.example", kAaaa);
  answer.record(std::string("\3WWW\7example\0", 13), kCname, 20, std::string("\3CDN\4test\0", 10));
  answer.record(std::string("\3cdn\4test\0", 10), kAaaa, 300, std::string(16, '\x09'));
  asks_for(0ms, 7, "www.example", kAaaa);
  answers(1ms, answer, kReceived);
  ASSERT_THAT(out_.facts, SizeIs(1));
  EXPECT_EQ(out_.only<NameResolved>().name, "www.example") << "the one that was asked for";
  EXPECT_EQ(out_.only<NameResolved>().ttl, 20s);
  EXPECT_THAT(last_bytes(), ElementsAre(9));
}

TEST_F(ResolvedTest, addresses_of_names_that_nobody_asked_for_are_not_believed) {
  auto answer = Wire::answer(7, "www.example", kA);
  answer.record(std::string("\4bank\4test\0", 11), kA, 300, ipv4(1));
  asks_and_is_told("www.example", answer);
  EXPECT_THAT(out_.facts, IsEmpty());
}

TEST_F(ResolvedTest, aliases_in_a_circle_lead_nowhere) {
  auto answer = Wire::answer(7, "www.example", kA);
  answer.record(kQuestion, kCname, 20, std::string("\3cdn\4test\0", 10));
  answer.record(std::string("\3cdn\4test\0", 10), kCname, 20, std::string("\3www\7example\0", 13));
  asks_and_is_told("www.example", answer);
  EXPECT_THAT(out_.facts, IsEmpty());
}

TEST_F(ResolvedTest, an_address_of_the_wrong_size_is_none) {
  auto answer = Wire::answer(7, "www.example", kA);
  answer.record(kQuestion, kA, 300, "\1\2\3");
  asks_and_is_told("www.example", answer);
  EXPECT_THAT(out_.facts, IsEmpty());
}

TEST_F(ResolvedTest, a_name_server_here_that_answers_others_asked_for_nothing) {
  asks(0ms, 7, "a.example", {.direction = TAPIO_DNS_RECEIVED, .is_sender = false});
  answers(1ms, with_address(7, "a.example"), {.pid = 300});
  EXPECT_THAT(out_.records, SizeIs(1));
  EXPECT_THAT(out_.facts, IsEmpty());
}

TEST_F(DnsTest, what_was_not_expected_is_counted) {
  asks(0ms, 7, "a.example");
  is_answered(1ms, 8, "b.example");
  std::map<std::string_view, std::uint64_t> counted;
  for (const auto& [name, value] : observer_->counters()) counted[name] = value;
  EXPECT_EQ(counted["unasked"], 1u);
  EXPECT_EQ(counted["repeated"] + counted["strays"] + counted["evicted"], 0u);
}

}  // namespace
}  // namespace tapio::dns
