// SPDX-License-Identifier: Apache-2.0
#include "dns_stream.hpp"

#include <gmock/gmock.h>

#include "collected.hpp"
#include "dns_observer.hpp"
#include "dns_segments.hpp"

namespace tapio::dns {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

constexpr MonotonicTime kStart = 1000s;

// A question of `name`, as TCP carries it.
std::string asked(std::uint16_t id, std::string_view name = "a.example") {
  return framed(Wire::query(id, name, kA).text());
}
std::string answered(std::uint16_t id, std::string_view name = "a.example") {
  return framed(Wire::answer(id, name, kA).text());
}

class DnsStreams : public testing::Test {
 protected:
  // What a segment brings: the ids of the messages that are whole by it.
  std::vector<std::uint16_t> take(std::uint32_t sequence, std::string_view bytes,
                                  TcpPacket packet = {}) {
    packet.sequence = sequence;
    packet.time += kStart;
    const auto sample = segment_sample(packet, bytes);
    const auto opened = wire::open_sample(sample);
    const auto segment = segment_of(*opened);
    EXPECT_TRUE(segment);
    return ids(streams_.take(*segment));
  }
  std::vector<std::uint16_t> ids(std::vector<Datagram> messages) {
    std::vector<std::uint16_t> list;
    for (const Datagram& message : messages) list.push_back(message.message.head.id);
    if (!messages.empty()) last_ = std::move(messages.back());
    return list;
  }

  Streams streams_;
  Datagram last_;
};

TEST_F(DnsStreams, a_message_in_one_segment_is_read) {
  EXPECT_THAT(take(100, asked(7, "Example.com")), ElementsAre(7));
  EXPECT_EQ(last_.transport, Transport::tcp);
  EXPECT_EQ(last_.message.name, "Example.com");
  EXPECT_EQ(last_.size, asked(7, "Example.com").size() - 2) << "without its length";
  EXPECT_EQ(last_.server.port, 53);
  EXPECT_EQ(last_.client.port, 4000);
  EXPECT_EQ(last_.origin.pid, 100u);
}

TEST_F(DnsStreams, several_messages_in_one_segment_are_read_one_by_one) {
  EXPECT_THAT(take(100, asked(1) + asked(2) + asked(3)), ElementsAre(1, 2, 3));
}

TEST_F(DnsStreams, a_message_over_several_segments_is_put_together_byte_by_byte) {
  const auto bytes = asked(1) + asked(2);
  std::vector<std::uint16_t> all;
  for (std::uint32_t i = 0; i < bytes.size(); ++i)
    for (const auto id : take(100 + i, bytes.substr(i, 1))) all.push_back(id);
  EXPECT_THAT(all, ElementsAre(1, 2));
}

TEST_F(DnsStreams, a_length_may_come_alone) {
  const auto bytes = asked(7);
  EXPECT_THAT(take(100, bytes.substr(0, 2)), IsEmpty());
  EXPECT_THAT(take(102, bytes.substr(2)), ElementsAre(7));
}

TEST_F(DnsStreams, a_question_is_of_when_it_began_and_an_answer_of_when_it_was_whole) {
  const auto question = asked(7), answer = answered(7);
  (void)take(100, question.substr(0, 2), {.time = 1ms});
  (void)take(102, question.substr(2), {.time = 41ms});
  EXPECT_EQ(last_.origin.time, kStart + 1ms);
  (void)take(500, answer.substr(0, 9), {.time = 50ms, .is_answer = true});
  (void)take(509, answer.substr(9), {.time = 52ms, .is_answer = true});
  EXPECT_EQ(last_.origin.time, kStart + 52ms);
  EXPECT_EQ(last_.server.port, 53);
}

TEST_F(DnsStreams, what_is_sent_again_is_read_once) {
  const auto bytes = asked(1) + asked(2);
  EXPECT_THAT(take(100, asked(1)), ElementsAre(1));
  EXPECT_THAT(take(100, asked(1)), IsEmpty());
  EXPECT_EQ(streams_.counts().repeated, 1u);
  EXPECT_THAT(take(100, bytes), ElementsAre(2)) << "what is new of it";
  EXPECT_THAT(take(100 + static_cast<std::uint32_t>(bytes.size()), asked(3)), ElementsAre(3));
}

TEST_F(DnsStreams, segments_out_of_order_are_put_in_order) {
  const auto bytes = asked(1) + asked(2) + asked(3);
  EXPECT_THAT(take(100, bytes.substr(0, 5)), IsEmpty());
  EXPECT_THAT(take(140, bytes.substr(40)), IsEmpty());
  EXPECT_THAT(take(120, bytes.substr(20, 20)), IsEmpty());
  EXPECT_THAT(take(105, bytes.substr(5, 15)), ElementsAre(1, 2, 3));
  EXPECT_EQ(streams_.counts().early, 2u);
  EXPECT_EQ(streams_.counts().gaps, 0u);
}

TEST_F(DnsStreams, sequence_numbers_go_round) {
  const auto bytes = asked(1) + asked(2);
  EXPECT_THAT(take(0xfffffff8u, bytes.substr(0, 20)), IsEmpty());
  EXPECT_THAT(take(12, bytes.substr(20)), ElementsAre(1, 2));
}

TEST_F(DnsStreams, a_gap_inside_of_a_message_cuts_it_and_the_next_one_is_read) {
  auto answer = Wire::answer(1, "a.example", kTxt);
  for (int i = 0; i < 6; ++i) answer.record("\xc0\x0c", kTxt, 60, "\xc8" + std::string(200, 'x'));
  const auto bytes = framed(answer.text()) + answered(2);
  EXPECT_THAT(take(100, bytes.substr(0, 300), {.is_answer = true}), IsEmpty());
  EXPECT_THAT(take(700, bytes.substr(600), {.is_answer = true}), IsEmpty());
  EXPECT_THAT(ids(streams_.expire(kStart + 1s)), IsEmpty()) << "it may still come";
  EXPECT_THAT(ids(streams_.expire(kStart + 3s)), ElementsAre(1, 2));
  EXPECT_EQ(last_.message.extent, Extent::whole);
  EXPECT_EQ(streams_.counts().gaps, 1u);
}

TEST_F(DnsStreams, a_message_that_was_cut_says_so) {
  const auto bytes = framed(Wire::answer(1, "a.example", kTxt).text() + std::string(5000, 'x'));
  EXPECT_THAT(take(100, bytes.substr(0, 2000), {.is_answer = true}), IsEmpty());
  EXPECT_THAT(take(2100, bytes.substr(2000, 2000), {.is_answer = true}), IsEmpty());
  EXPECT_THAT(take(4100, bytes.substr(4000), {.is_answer = true}), ElementsAre(1));
  EXPECT_EQ(last_.message.extent, Extent::cut);
  EXPECT_EQ(last_.size, bytes.size() - 2);
}

TEST_F(DnsStreams, the_longest_message_of_the_protocol_ends_where_it_ends) {
  const auto head = Wire::answer(1, "a.example", kTxt).text();
  const auto bytes = framed(head + std::string(0xffff - head.size(), 'x'));
  EXPECT_THAT(take(100, bytes.substr(0, 2000), {.is_answer = true, .size = 0xffff + 2}),
              ElementsAre(1));
  EXPECT_EQ(last_.size, 0xffffu);
  EXPECT_THAT(take(100 + 0xffff + 2, answered(2), {.is_answer = true}), ElementsAre(2));
}

TEST_F(DnsStreams, after_a_lost_length_it_goes_on_where_a_message_begins) {
  const auto bytes = asked(1) + asked(2);
  EXPECT_THAT(take(100, bytes.substr(0, 30), {.size = 40}), ElementsAre(1));
  EXPECT_THAT(take(140, bytes.substr(40)), IsEmpty()) << "the middle of something";
  EXPECT_GT(streams_.counts().skipped, 0u);
  const auto next = 100 + static_cast<std::uint32_t>(bytes.size());
  EXPECT_THAT(take(next, asked(3)), ElementsAre(3));
}

TEST_F(DnsStreams, a_connection_that_is_met_in_the_middle_is_read_from_the_next_message_on) {
  const auto answer = answered(1);
  EXPECT_THAT(take(100, "\xff\xff\xff\xff\xff\xff and so on", {.is_answer = true}), IsEmpty());
  EXPECT_THAT(take(116, answer, {.is_answer = true}), ElementsAre(1));
}

TEST_F(DnsStreams, bytes_that_are_no_messages_are_passed_over) {
  EXPECT_THAT(take(100, "GET / HTTP/1.1\r\n\r\n"), IsEmpty());
  EXPECT_THAT(take(118, std::string(100, '\0')), IsEmpty());
  EXPECT_EQ(streams_.counts().messages, 0u);
  EXPECT_EQ(streams_.counts().skipped, 118u);
}

TEST_F(DnsStreams, another_connection_with_the_same_ports_begins_anew) {
  EXPECT_THAT(take(100, asked(1).substr(0, 10)), IsEmpty());
  EXPECT_THAT(take(0x70000000u, asked(2)), ElementsAre(2));
  EXPECT_EQ(streams_.counts().restarted, 1u);
  EXPECT_EQ(streams_.open(), 1u);
}

TEST_F(DnsStreams, what_one_device_saw_is_not_mixed_with_what_another_saw) {
  EXPECT_THAT(take(100, asked(1)), ElementsAre(1));
  EXPECT_THAT(take(100, asked(1), {.direction = TAPIO_DNS_RECEIVED, .network_namespace = 2}),
              ElementsAre(1));
  EXPECT_EQ(streams_.open(), 2u);
}

TEST_F(DnsStreams, later_segments_are_of_who_sent_the_first_ones) {
  EXPECT_THAT(take(100, asked(1).substr(0, 2)), IsEmpty());
  EXPECT_THAT(take(102, asked(1).substr(2), {.pid = 999}), ElementsAre(1));
  EXPECT_EQ(last_.origin.pid, 100u);
}

TEST_F(DnsStreams, segments_that_wait_are_bounded) {
  for (std::uint32_t i = 0; i <= Streams::kMaxAhead; ++i) {
    EXPECT_EQ(streams_.counts().gaps, 0u);
    (void)take(100, "x", {});
    (void)take(1000 + 100 * i, asked(static_cast<std::uint16_t>(i)));
  }
  EXPECT_EQ(streams_.counts().gaps, 1u);
}

TEST_F(DnsStreams, segments_that_wait_are_bounded_for_all_streams_together) {
  for (std::uint32_t i = 0; i < Streams::kMaxWaiting; ++i) {
    const TcpPacket packet{.client_port = static_cast<std::uint16_t>(1 + i)};
    (void)take(100, "x", packet);
    (void)take(1000, asked(1), packet);
  }
  EXPECT_EQ(streams_.counts().gaps, 0u);
  (void)take(100, "x", {.client_port = 50'000});
  EXPECT_THAT(take(1000, asked(9), {.client_port = 50'000}), ElementsAre(9));
  EXPECT_EQ(streams_.counts().gaps, 1u);
}

TEST_F(DnsStreams, streams_are_bounded_and_the_idle_ones_go) {
  for (std::uint32_t i = 0; i < Streams::kMaxStreams + 10; ++i)
    (void)take(100, asked(1), {.client_port = static_cast<std::uint16_t>(i)});
  EXPECT_EQ(streams_.open(), Streams::kMaxStreams);
  EXPECT_EQ(streams_.counts().evicted, 10u);
  (void)streams_.expire(kStart + Streams::kIdle);
  EXPECT_EQ(streams_.open(), 0u);
}

TEST_F(DnsStreams, malformed_samples_are_refused) {
  const auto bytes = segment_sample({.time = kStart}, asked(1));
  const auto refused = [&](std::size_t at, std::byte value) {
    auto wrong = bytes;
    wrong[at] = value;
    const auto sample = wire::open_sample(wrong);
    return sample && !segment_of(*sample);
  };
  EXPECT_FALSE(refused(0, bytes[0]));
  EXPECT_TRUE(refused(offsetof(tapio_event_header, version), std::byte{9}));
  EXPECT_TRUE(refused(offsetof(tapio_dns_segment, ip_version), std::byte{5}));
  EXPECT_TRUE(refused(offsetof(tapio_dns_segment, payload) + 1, std::byte{0xff}));
  EXPECT_TRUE(refused(offsetof(tapio_dns_segment, payload) + 4, std::byte{1})) << "less than here";
  EXPECT_TRUE(refused(offsetof(tapio_dns_segment, payload) + 7, std::byte{0x80}));
}

// Through the observer: what consumers get.
class DnsOverTcp : public testing::Test {
 protected:
  void feed(std::uint32_t sequence, std::string_view bytes, TcpPacket packet = {}) {
    packet.sequence = sequence;
    packet.time += kStart;
    if (packet.is_answer) packet.direction = TAPIO_DNS_RECEIVED;
    const auto sample = segment_sample(packet, bytes);
    ASSERT_TRUE(observer_.on_sample(*wire::open_sample(sample), out_));
  }
  Collected out_;
  DnsObserver observer_{Config{}};
};

TEST_F(DnsOverTcp, a_question_and_its_answer_become_one_record) {
  feed(100, asked(7));
  feed(900, answered(7), {.time = 3ms, .is_answer = true});
  ASSERT_THAT(out_.records, SizeIs(1));
  EXPECT_EQ(out_.text("network.transport"), "tcp");
  EXPECT_EQ(out_.text("dns.outcome"), "answered");
  EXPECT_EQ(out_.text("dns.role"), "client");
  EXPECT_EQ(out_.get<std::chrono::nanoseconds>("dns.lookup.duration"), 3ms);
  EXPECT_EQ(out_.records[0].origin.pid, 100u);
  EXPECT_EQ(out_.records[0].origin.event_class, TAPIO_BULK);
}

TEST_F(DnsOverTcp, answers_in_another_order_find_their_questions) {
  feed(100, asked(1, "a.example") + asked(2, "b.example"));
  feed(900, answered(2, "b.example") + answered(1, "a.example"), {.time = 3ms, .is_answer = true});
  ASSERT_THAT(out_.records, SizeIs(2));
  EXPECT_EQ(out_.text("dns.question.name"), "a.example");
  EXPECT_EQ(observer_.exchanges().counts().unasked, 0u);
}

TEST_F(DnsOverTcp, an_answer_over_udp_is_none_to_a_question_over_tcp) {
  feed(100, asked(7));
  const auto udp = sample_of({.time = kStart + 1ms, .direction = TAPIO_DNS_RECEIVED},
                             Wire::answer(7, "a.example", kA));
  ASSERT_TRUE(observer_.on_sample(*wire::open_sample(udp), out_));
  EXPECT_THAT(out_.records, IsEmpty());
  EXPECT_EQ(observer_.exchanges().counts().unasked, 1u);
}

TEST_F(DnsOverTcp, a_question_without_an_answer_is_unanswered) {
  feed(100, asked(7));
  observer_.on_tick(kStart + 8s, out_);
  ASSERT_THAT(out_.records, SizeIs(1));
  EXPECT_EQ(out_.text("dns.outcome"), "unanswered");
}

TEST_F(DnsOverTcp, a_question_whose_answer_may_have_been_passed_over_is_unknown) {
  feed(100, asked(7));
  feed(900, answered(7).substr(20), {.is_answer = true});  // its first segment was lost here
  observer_.on_tick(kStart + 8s, out_);
  ASSERT_THAT(out_.records, SizeIs(1));
  EXPECT_EQ(out_.text("dns.outcome"), "unknown");
}

TEST_F(DnsOverTcp, where_no_device_was_seen_none_is_named) {
  feed(100, asked(7), {.interface = ""});
  feed(900, answered(7), {.is_answer = true, .interface = ""});
  ASSERT_THAT(out_.records, SizeIs(1));
  EXPECT_FALSE(out_.known("network.interface.name"));
}

TEST_F(DnsOverTcp, connections_are_counted) {
  tapio_dns_connection e{.header = {.size = sizeof e,
                                    .kind = TAPIO_DNS_CONNECTION,
                                    .version = TAPIO_DNS_CONNECTION_VERSION},
                         .own_port = 4000,
                         .other_port = 53};
  std::vector<std::byte> bytes(sizeof e);
  std::memcpy(bytes.data(), &e, sizeof e);
  ASSERT_TRUE(observer_.on_sample(*wire::open_sample(bytes), out_));
  EXPECT_EQ(observer_.streams().counts().connections, 1u);
  EXPECT_THAT(out_.records, IsEmpty());
}

}  // namespace
}  // namespace tapio::dns
