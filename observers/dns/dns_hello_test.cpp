// SPDX-License-Identifier: Apache-2.0
#include "dns_hello.hpp"

#include <gmock/gmock.h>

#include "decode/wire.hpp"
#include "dns_hellos.hpp"

namespace tapio::dns {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

Bytes bytes_of(std::string_view text) {
  return std::as_bytes(std::span(text));
}
Hello read(std::string_view handshake) {
  const auto hello = hello_of(bytes_of(handshake));
  EXPECT_TRUE(hello);
  return hello.value_or(Hello{});
}

TEST(DnsHello, says_whom_it_is_for_and_what_it_offers) {
  const auto hello = read(client_hello({.server_name = "Dns.Example", .protocols = {"dot", "h2"}}));
  EXPECT_EQ(hello.server_name, "Dns.Example");
  EXPECT_THAT(hello.protocols, ElementsAre("dot", "h2"));
  EXPECT_EQ(hello.random[31], std::byte{'r'});
  EXPECT_EQ(hello.extent, Extent::whole);
}

TEST(DnsHello, without_extensions_it_says_nothing_and_is_whole) {
  const auto hello = read(client_hello('r', ""));
  EXPECT_EQ(hello.server_name, "");
  EXPECT_THAT(hello.protocols, IsEmpty());
  EXPECT_EQ(hello.extent, Extent::whole);
}

TEST(DnsHello, is_found_in_records_of_any_size) {
  const auto message = client_hello({.protocols = {"dot"}});
  for (const std::size_t most : {1u, 7u, 16'384u}) {
    const auto records = in_records(message, most);
    const auto handshake = handshake_of(bytes_of(records));
    EXPECT_EQ(wire::chars(handshake), message) << most;
  }
  EXPECT_THAT(handshake_of(bytes_of("\x17\x03\x03 not a handshake")), IsEmpty());
  EXPECT_THAT(handshake_of({}), IsEmpty());
}

TEST(DnsHello, cut_anywhere_it_never_says_half_a_name_or_half_a_protocol) {
  const auto message = client_hello({.server_name = "dns.example", .protocols = {"dot", "h2"}});
  for (std::size_t size = 0; size < message.size(); ++size) {
    const auto hello = hello_of(bytes_of(message).first(size));
    ASSERT_EQ(hello.has_value(), size >= 4 + 2 + 32) << size;
    if (!hello) continue;
    EXPECT_EQ(hello->extent, Extent::cut) << size;
    EXPECT_THAT(hello->server_name, testing::AnyOf("", "dns.example")) << size;
    for (const auto& protocol : hello->protocols)
      EXPECT_THAT(protocol, testing::AnyOf("dot", "h2")) << size;
  }
}

TEST(DnsHello, lengths_that_contradict_each_other_are_malformed) {
  const auto name = std::string(1, '\0') + sized(2, "dns.example");
  const std::string wrong[] = {
      extension(0, big_endian(200, 2)),            // a list longer than its extension
      extension(0, sized(2, big_endian(200, 3))),  // a name longer than its list
      extension(16, sized(2,
                          "\xff"
                          "dot")),                   // a protocol longer than its list
      extension(16, ""),                             // no list at all
      big_endian(0, 2) + big_endian(500, 2) + name,  // an extension longer than all of them
      extension(0, sized(2, std::string(1, '\0') + sized(2, std::string(256, 'n')))),
  };
  for (const auto& extensions : wrong) {
    const auto hello = read(client_hello('r', extensions));
    EXPECT_EQ(hello.extent, Extent::malformed);
    EXPECT_EQ(hello.server_name, "");
    EXPECT_THAT(hello.protocols, IsEmpty());
  }
}

TEST(DnsHello, what_is_good_beside_what_is_malformed_is_kept) {
  const auto hello = read(client_hello(
      'r',
      extension(16, "") + extension(0, sized(2, std::string(1, '\0') + sized(2, "a.example")))));
  EXPECT_EQ(hello.extent, Extent::malformed);
  EXPECT_EQ(hello.server_name, "a.example");
}

TEST(DnsHello, odd_bytes_cannot_steer_whoever_shows_them) {
  const auto hello = read(client_hello(
      {.server_name = "a\n\x1b[31m.example\\", .protocols = {std::string("\0\xff", 2)}}));
  EXPECT_EQ(hello.server_name, "a\\010\\027[31m.example\\092");
  EXPECT_THAT(hello.protocols, ElementsAre("\\000\\255"));
}

TEST(DnsHello, of_many_protocols_the_first_are_kept) {
  const auto hello = read(client_hello({.protocols = std::vector<std::string>(100, "h2")}));
  EXPECT_THAT(hello.protocols, SizeIs(Hello::kMaxProtocols));
  EXPECT_EQ(hello.extent, Extent::whole);
}

TEST(DnsHello, other_messages_are_none) {
  auto message = client_hello({});
  message[0] = 2;
  EXPECT_FALSE(hello_of(bytes_of(message)));
  EXPECT_FALSE(hello_of({}));
}

}  // namespace
}  // namespace tapio::dns
