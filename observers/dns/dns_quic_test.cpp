// SPDX-License-Identifier: Apache-2.0
#include "dns_quic.hpp"

#include <fmt/ranges.h>
#include <gmock/gmock.h>

#include "decode/wire.hpp"
#include "dns_hello.hpp"
#include "dns_hellos.hpp"

namespace tapio::dns {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

Bytes bytes_of(std::string_view text) {
  return std::as_bytes(std::span(text));
}
std::string hex(std::string_view bytes) {
  return fmt::format("{:02x}", fmt::join(octets_of(bytes), ""));
}
std::string from_hex(std::string_view digits) {
  std::string bytes;
  for (std::size_t i = 0; i + 1 < digits.size(); i += 2)
    bytes += static_cast<char>(std::stoi(std::string(digits.substr(i, 2)), nullptr, 16));
  return bytes;
}

// RFC 9001, appendix A.2; RFC 9369, appendix A.2 has the same.
constexpr std::string_view kFrames =
    "060040f1010000ed0303ebf8fa56f12939b9584a3896472ec40bb863cfd3e868"
    "04fe3a47f06a2b69484c00000413011302010000c000000010000e00000b6578"
    "616d706c652e636f6dff01000100000a00080006001d00170018001000070005"
    "04616c706e000500050100000000003300260024001d00209370b2c9caa47fba"
    "baf4559fedba753de171fa71f50f1ce15d43e994ec74d748002b000302030400"
    "0d0010000e0403050306030203080408050806002d00020101001c0002400100"
    "3900320408ffffffffffffffff05048000ffff07048000ffff08011001048000"
    "75300901100f088394c8f03e51570806048000ffff";

struct Example {
  std::uint32_t version;
  std::string_view begins, ends;  // of 1200 bytes; the tag at the end vouches for all of them
};
constexpr Example kExamples[] = {
    {kQuicV1, "c000000001088394c8f03e5157080000449e7b9aec34d1b1c98dd7689fb8ec11d242b123dc9bd8ba",
     "e221af44860018ab0856972e194cd934"},
    {kQuicV2, "d76b3343cf088394c8f03e5157080000449ea0c95e82ffe67b6abcdb4298b485dd04de806071bf03",
     "a18b2faa745b6fe189cf772a9f84cbfc"},
};

TEST(DnsQuic, the_examples_of_both_versions_are_read) {
  for (const auto& [version, begins, ends] : kExamples) {
    const auto packet = sealed_initial({.version = version}, from_hex(kFrames));
    ASSERT_EQ(packet.size(), 1200u);
    EXPECT_EQ(hex(packet.substr(0, 40)), begins);
    EXPECT_EQ(hex(packet.substr(1200 - 16)), ends);
    const auto initial = open_initial(bytes_of(packet));
    ASSERT_TRUE(initial);
    EXPECT_EQ(hex(wire::chars(initial->connection)), "8394c8f03e515708");
    ASSERT_THAT(initial->pieces, SizeIs(1));
    const auto hello = hello_of(initial->pieces[0].bytes);
    ASSERT_TRUE(hello);
    EXPECT_EQ(hello->server_name, "example.com");
    EXPECT_THAT(hello->protocols, ElementsAre("alpn"));
    EXPECT_EQ(hello->extent, Extent::whole);
  }
}

TEST(DnsQuic, pieces_between_other_frames_are_found_in_the_order_of_the_packet) {
  const std::string ack =
      "\x02" + varint(300) + varint(1) + varint(1) + varint(2) + varint(3) + varint(4);
  const std::string ack_ecn =
      "\x03" + varint(9) + varint(1) + varint(0) + varint(2) + varint(1) + varint(1) + varint(1);
  const auto packet =
      sealed_initial({}, crypto_frame(500, "late") + "\x01" + ack + std::string(3, 0) + ack_ecn +
                             crypto_frame(0, "first"));
  const auto initial = open_initial(bytes_of(packet));
  ASSERT_TRUE(initial);
  ASSERT_THAT(initial->pieces, SizeIs(2));
  EXPECT_EQ(initial->pieces[0].offset, 500u);
  EXPECT_EQ(wire::chars(initial->pieces[0].bytes), "late");
  EXPECT_EQ(initial->pieces[1].offset, 0u);
  EXPECT_EQ(wire::chars(initial->pieces[1].bytes), "first");
}

TEST(DnsQuic, what_was_sealed_with_other_keys_or_changed_is_not_opened) {
  const auto packet = initial_with({});
  for (const std::size_t at : {6u, 17u, 20u, 100u, 1199u}) {
    auto changed = packet;
    changed[at] = static_cast<char>(changed[at] ^ 1);
    EXPECT_FALSE(open_initial(bytes_of(changed))) << at;
  }
  EXPECT_TRUE(open_initial(bytes_of(packet)));
}

TEST(DnsQuic, a_packet_that_is_not_whole_is_not_opened_and_what_follows_it_does_no_harm) {
  const auto packet = initial_with({});
  for (std::size_t size = 0; size < packet.size(); ++size)
    EXPECT_FALSE(open_initial(bytes_of(packet).first(size))) << size;
  EXPECT_TRUE(open_initial(bytes_of(packet + "another packet")));
}

TEST(DnsQuic, headers_that_lie_are_refused) {
  const std::string start = "\xc3" + big_endian(kQuicV1, 4);
  const auto refused = [](const std::string& header) {
    return !open_initial(bytes_of(header + std::string(1200, 'x')));
  };
  EXPECT_TRUE(refused(start + sized(1, std::string(21, 'i'))));
  EXPECT_TRUE(refused(start + sized(1, "id") + sized(1, "") + std::string(8, '\xff')));  // token
  EXPECT_TRUE(refused(start + sized(1, "id") + sized(1, "") + varint(0) + varint(19)));
  EXPECT_TRUE(refused(start + sized(1, "id") + sized(1, "") + varint(0) + varint(5000)));
  EXPECT_TRUE(refused("\xc3" + big_endian(2, 4) + sized(1, "id")));
  EXPECT_TRUE(refused("\xe3" + big_endian(kQuicV1, 4) + sized(1, "id")));
}

TEST(DnsQuic, frames_that_lie_end_the_reading) {
  const auto pieces = [](const std::string& frames) {
    const auto packet = sealed_initial({}, frames);
    const auto initial = open_initial(bytes_of(packet));
    EXPECT_TRUE(initial);
    return initial ? initial->pieces : std::vector<Initial::Piece>{};
  };
  EXPECT_THAT(pieces("\x06" + varint(0) + varint(16'000) + "x"), IsEmpty());
  EXPECT_THAT(pieces("\x1c" + crypto_frame(0, "behind a close")), IsEmpty());
  EXPECT_THAT(pieces("\x02" + varint(1) + varint(1) + big_endian(~0ull, 8) + varint(1)), IsEmpty());
  std::string many;
  for (std::size_t i = 0; i < 2 * Initial::kMaxPieces; ++i) many += crypto_frame(i, "x");
  EXPECT_THAT(pieces(many), SizeIs(Initial::kMaxPieces));
}

}  // namespace
}  // namespace tapio::dns
