// SPDX-License-Identifier: Apache-2.0
#include "dns_message.hpp"

#include <gmock/gmock.h>

#include "dns_messages.hpp"

namespace tapio::dns {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

Message must_decode(const Wire& wire) {
  auto decoded = decode(wire.bytes(), wire.bytes().size());
  if (!decoded) ADD_FAILURE() << decoded.error().what;
  return decoded ? std::move(*decoded) : Message{};
}

// The one answer to a question for example.com.
std::string data_of(std::uint16_t type, const std::string& data) {
  auto wire = Wire::answer(7, "example.com", type);
  wire.record("\xc0\x0c", type, 60, data);
  const auto message = must_decode(wire);
  EXPECT_EQ(message.extent, Extent::whole);
  return message.answers.size() == 1 ? message.answers[0].data : "none";
}

TEST(DnsMessage, a_query_says_what_is_asked_and_keeps_its_case) {
  const auto message = must_decode(Wire::query(0x1234, "WwW.eXample.COM", kAaaa));
  EXPECT_EQ(message.head.id, 0x1234);
  EXPECT_FALSE(message.is_answer());
  EXPECT_EQ(message.name, "WwW.eXample.COM");
  EXPECT_EQ(message.type, kAaaa);
  EXPECT_EQ(class_name(message.rr_class), "IN");
  EXPECT_EQ(message.extent, Extent::whole);
}

TEST(DnsMessage, a_compressed_answer_is_followed_through_its_pointers) {
  auto wire = Wire::answer(7, "www.example.com", kA);
  wire.record("\xc0\x0c", kCname, 300,
              "\x03"
              "cdn"
              "\xc0\x10");
  wire.record("\xc0\x2d", kA, 60, std::string("\xc0\x00\x02\x01", 4));
  const auto message = must_decode(wire);
  ASSERT_THAT(message.answers, SizeIs(2));
  EXPECT_EQ(message.answers[0].data, "cdn.example.com");
  EXPECT_EQ(message.answers[1].name, "cdn.example.com");
  EXPECT_EQ(message.answers[1].data, "192.0.2.1");
  EXPECT_EQ(message.answers[1].ttl, 60u);
}

TEST(DnsMessage, each_type_is_written_as_master_files_have_it) {
  EXPECT_EQ(data_of(kAaaa, std::string("\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x35", 16)),
            "2001:db8::35");
  EXPECT_EQ(data_of(kMx, std::string("\0\x0a\x04mail\xc0\x0c", 9)), "10 mail.example.com");
  EXPECT_EQ(data_of(kNs, "\x03ns1\xc0\x0c"), "ns1.example.com");
  EXPECT_EQ(data_of(kPtr, std::string("\0", 1)), ".");
  EXPECT_EQ(data_of(kTxt, "\x05v=\"a\\\x02\x01z"), R"("v=\"a\\" "\001z")");
  EXPECT_EQ(data_of(kSrv, std::string("\0\x01\0\x02\x14\x66\x03sip\xc0\x0c", 12)),
            "1 2 5222 sip.example.com");
  EXPECT_EQ(data_of(kSoa, std::string("\x02ns\xc0\x0c\x05"
                                      "admin\xc0\x0c"
                                      "\0\0\0\x01\0\0\0\x02\0\0\0\x03\0\0\0\x04\0\0\0\x05",
                                      33)),
            "ns.example.com admin.example.com 1 2 3 4 5");
  EXPECT_EQ(data_of(kHttps, std::string("\0\x01\0\0\x01\0\x03\x02h2\0\x03\0\x02\x01\xbb"
                                        "\0\x04\0\x04\xc0\0\x02\x01",
                                        24)),
            "1 . alpn=\"h2\" port=443 ipv4hint=192.0.2.1");
}

TEST(DnsMessage, data_of_another_shape_than_its_type_and_of_unknown_types_is_shown_as_bytes) {
  EXPECT_EQ(data_of(kA, "abc"), "\\# 3 616263");
  EXPECT_EQ(data_of(kMx, "a"), "\\# 1 61");
  EXPECT_EQ(data_of(kTxt,
                    "\x05"
                    "ab"),
            "\\# 3 056162");
  EXPECT_EQ(data_of(kHttps, std::string("\0\x01\0\0\x03\0\x01\x01", 8)), "\\# 8 0001000003000101");
  EXPECT_EQ(data_of(65400, "\x01\x02"), "\\# 2 0102");
  EXPECT_EQ(type_name(65400), "TYPE65400");
}

TEST(DnsMessage, a_name_of_odd_bytes_cannot_steer_who_shows_it) {
  const Wire wire = Wire::query(1, std::string_view("a\x1b[31m.\xff\"\\", 10), kA);
  EXPECT_EQ(must_decode(wire).name, "a\\027[31m.\\255\"\\\\");
  Wire dotted = Wire::empty(1, 0, 1);
  dotted.raw(
      std::string("\x03"
                  "a.b\x03"
                  "com\0\0\x01\0\x01",
                  13));
  EXPECT_EQ(must_decode(dotted).name, "a\\.b.com");
}

TEST(DnsMessage, a_pointer_that_leads_forward_or_round_in_a_circle_is_malformed) {
  for (const char* pointer : {"\xc0\x0c", "\xc0\x0e", "\xc0\xff"}) {
    Wire wire = Wire::empty(1, 0, 1);
    wire.raw(pointer).raw(std::string("\0\x01\0\x01", 4));
    EXPECT_EQ(must_decode(wire).extent, Extent::malformed) << pointer;
  }
}

TEST(DnsMessage, a_name_of_255_bytes_is_read_and_one_byte_more_is_malformed) {
  const std::string label(63, 'x');
  const auto longest = label + "." + label + "." + label + "." + std::string(61, 'x');
  EXPECT_EQ(must_decode(Wire::query(1, longest, kA)).name, longest);
  EXPECT_EQ(must_decode(Wire::query(1, longest + "x", kA)).extent, Extent::malformed);
  const std::string odd(63, '\x01');
  const auto escaped =
      must_decode(Wire::query(1, odd + "." + odd + "." + odd + "." + std::string(61, '\x01'), kA));
  EXPECT_EQ(escaped.name.size(), 250 * 4 + 3u);
}

TEST(DnsMessage, edns_tells_sizes_and_the_high_bits_of_the_response_code) {
  auto wire = Wire::answer(1, "example.com", kA, 0);
  wire.additional(std::string("\0\0\x29\x04\xd0\x01\0\x80\0\0\0", 11));
  const auto message = must_decode(wire);
  ASSERT_TRUE(message.edns);
  EXPECT_EQ(message.edns->udp_size, 1232);
  EXPECT_TRUE(message.edns->dnssec);
  EXPECT_EQ(message.rcode(), 16);
  EXPECT_EQ(rcode_name(message.rcode()), "BADVERS");
}

TEST(DnsMessage, a_negative_answer_says_how_long_it_may_be_kept) {
  auto wire = Wire::answer(1, "no.example.com", kA, kNxDomain);
  wire.authority("\xc0\x0f", kSoa, 900,
                 std::string("\0\0\0\0\0\x01\0\0\0\x02\0\0\0\x03\0\0\0\x04\0\0\0\x3c", 22));
  const auto message = must_decode(wire);
  EXPECT_EQ(rcode_name(message.rcode()), "NXDOMAIN");
  EXPECT_EQ(message.negative_ttl, 60u);
}

TEST(DnsMessage, its_question_can_be_read_alone_and_the_rest_later) {
  auto wire = Wire::answer(1, "example.com", kA);
  wire.record("\xc0\x0c", kA, 60, std::string("\xc0\x00\x02\x01", 4));
  Unread rest;
  auto message = decode_question(wire.bytes(), wire.bytes().size(), rest);
  ASSERT_TRUE(message);
  EXPECT_EQ(message->name, "example.com");
  EXPECT_THAT(message->answers, IsEmpty());
  decode_rest(rest, *message);
  ASSERT_THAT(message->answers, SizeIs(1));
  EXPECT_EQ(message->answers[0].data, "192.0.2.1");
  const auto half = wire.bytes().first(16);  // in the middle of the name
  message = decode_question(half, half.size(), rest);
  EXPECT_EQ(message->extent, Extent::malformed);
  EXPECT_EQ(rest.at, 0u) << "nothing is left to be read";
}

TEST(DnsMessage, what_the_capture_cut_is_told_from_what_is_malformed) {
  auto wire = Wire::answer(1, "example.com", kA);
  wire.record("\xc0\x0c", kA, 60, std::string("\xc0\x00\x02\x01", 4));
  const auto part = wire.bytes().first(wire.bytes().size() - 2);
  EXPECT_EQ(decode(part, wire.bytes().size())->extent, Extent::cut);
  EXPECT_EQ(decode(part, part.size())->extent, Extent::malformed);
  EXPECT_EQ(decode(part, part.size())->name, "example.com");
  EXPECT_FALSE(decode(wire.bytes().first(11), 11));
}

TEST(DnsMessage, more_answers_than_are_kept_are_counted_by_the_header) {
  auto wire = Wire::answer(1, "example.com", kA);
  for (int i = 0; i < 40; ++i) wire.record("\xc0\x0c", kA, 60, std::string("\xc0\x00\x02\x01", 4));
  const auto message = must_decode(wire);
  EXPECT_THAT(message.answers, SizeIs(Message::kMaxAnswers));
  EXPECT_EQ(message.head.answers, 40);
  EXPECT_EQ(message.extent, Extent::whole);
}

TEST(DnsMessage, flags_have_the_names_that_dig_shows) {
  EXPECT_THAT(flag_names(0x8000 | TAPIO_DNS_TC | TAPIO_DNS_RD | TAPIO_DNS_AD),
              ElementsAre("tc", "rd", "ad"));
  EXPECT_THAT(flag_names(0), IsEmpty());
}

}  // namespace
}  // namespace tapio::dns
