// SPDX-License-Identifier: Apache-2.0
#include "dns_encrypted.hpp"

#include <arpa/inet.h>
#include <gmock/gmock.h>

#include "collected.hpp"
#include "dns_conversation.hpp"
#include "dns_greetings.hpp"
#include "dns_hellos.hpp"

namespace tapio::dns {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

class DnsEncrypted : public Conversation<Collected> {
 protected:
  void says(MonotonicTime at, const std::string& bytes, Said said = {}) {
    said.time = kStart + at;
    const auto sample = sample_of(said, bytes);
    ASSERT_TRUE(observer_->on_sample(*wire::open_sample(sample), out_));
  }
  void says_by_quic(MonotonicTime at, const std::string& bytes, Said said = {}) {
    said.kind = TAPIO_DNS_INITIAL;
    says(at, bytes, said);
  }
  [[nodiscard]] const Encrypted::Counts& counts() const { return observer_->encrypted().counts(); }
};

std::string tls(const HelloShape& shape) {
  return in_records(client_hello(shape));
}

TEST_F(DnsEncrypted, a_connection_to_port_853_is_dns_over_tls_of_who_sent_it) {
  says(1ms, tls({.server_name = "dns.example", .protocols = {"h2", "http/1.1"}}),
       {.server_port = 853});
  ASSERT_THAT(out_.records, SizeIs(1));
  EXPECT_EQ(out_.records[0].schema->name, "dns.encrypted");
  EXPECT_EQ(out_.records[0].origin.pid, 100u);
  EXPECT_EQ(out_.records[0].origin.cgroup_id, 7u);
  EXPECT_EQ(out_.records[0].origin.time, kStart + 1ms);
  EXPECT_EQ(out_.text("dns.encrypted.protocol"), "dot");
  EXPECT_EQ(out_.text("dns.encrypted.known_by"), "port");
  EXPECT_EQ(out_.text("tls.client.server_name"), "dns.example");
  EXPECT_THAT(*out_.get<std::span<const std::string_view>>("tls.client.alpn"),
              ElementsAre("h2", "http/1.1"));
  EXPECT_EQ(out_.text("tls.client.hello"), "whole");
  EXPECT_EQ(out_.text("server.address"), "192.0.2.53");
  EXPECT_EQ(out_.get<std::uint64_t>("server.port"), 853u);
  EXPECT_EQ(out_.text("client.address"), "192.0.2.1");
  EXPECT_EQ(out_.get<std::uint64_t>("client.port"), 4000u);
  EXPECT_EQ(out_.text("network.transport"), "tcp");
  EXPECT_EQ(out_.text("network.interface.name"), "eth0");
  EXPECT_EQ(counts().dot, 1u);
}

TEST_F(DnsEncrypted, what_a_client_offers_says_more_than_the_port) {
  says(0ms, tls({.protocols = {"dot"}}), {.server_port = 8853});
  EXPECT_EQ(out_.text("dns.encrypted.protocol"), "dot");
  EXPECT_EQ(out_.text("dns.encrypted.known_by"), "alpn");
  says_by_quic(0ms, initial_with({.protocols = {"doq"}}));
  EXPECT_EQ(out_.text("dns.encrypted.protocol"), "doq");
  EXPECT_EQ(out_.text("dns.encrypted.known_by"), "alpn");
  EXPECT_EQ(out_.text("network.transport"), "udp");
}

TEST_F(DnsEncrypted, a_known_server_is_known_by_its_name_whatever_its_case_or_by_one_above) {
  for (const char* name : {"dns.google", "DNS.Google", "mozilla.cloudflare-dns.com"}) {
    out_.records.clear();
    says(0ms, tls({.server_name = name, .random = name[0]}));
    ASSERT_THAT(out_.records, SizeIs(1)) << name;
    EXPECT_EQ(out_.text("dns.encrypted.protocol"), "doh");
    EXPECT_EQ(out_.text("dns.encrypted.known_by"), "server_name");
  }
  says_by_quic(0ms, initial_with({.server_name = "dns.google", .protocols = {"h3"}}));
  EXPECT_EQ(out_.text("dns.encrypted.protocol"), "doh");
  EXPECT_EQ(out_.text("network.transport"), "udp");
  EXPECT_EQ(counts().doh, 4u);
}

TEST_F(DnsEncrypted, a_known_server_is_known_by_its_address_also_without_a_name) {
  says(0ms, tls({.server_name = ""}), {.server = {8, 8, 8, 8}});
  ASSERT_THAT(out_.records, SizeIs(1));
  EXPECT_EQ(out_.text("dns.encrypted.protocol"), "doh");
  EXPECT_EQ(out_.text("dns.encrypted.known_by"), "address");
  EXPECT_FALSE(out_.known("tls.client.server_name"));
  std::vector<std::uint8_t> quad9(16);
  ASSERT_EQ(::inet_pton(AF_INET6, "2620:fe::fe", quad9.data()), 1);
  says(0ms, tls({.server_name = ""}), {.server = quad9});
  EXPECT_EQ(out_.text("server.address"), "2620:fe::fe");
  EXPECT_EQ(out_.text("network.type"), "ipv6");
}

TEST_F(DnsEncrypted, of_all_other_connections_nothing_is_told) {
  for (const char* name :
       {"www.example.com", "google", "notdns.google", "dns.google.example", "com"})
    says(0ms, tls({.server_name = name, .protocols = {"h2"}, .random = name[0]}));
  says_by_quic(0ms, initial_with({.server_name = "www.example.com", .protocols = {"h3"}}));
  says(0ms, "", {.client_port = 0});
  observer_->on_tick(kStart + 1min, out_);
  EXPECT_THAT(out_.records, IsEmpty());
  EXPECT_EQ(counts().looked_at, 7u);
  EXPECT_EQ(counts().dot + counts().doh + counts().doq, 0u);
}

TEST_F(DnsEncrypted, own_servers_are_those_of_the_configuration_and_a_reload_changes_them) {
  Config config;
  config.encrypted_resolvers = {"Resolver.example", "192.0.2.99", "2001:db8::53"};
  ASSERT_TRUE(config.check());
  observer_.emplace(config);
  says(0ms, tls({.server_name = "a.resolver.EXAMPLE"}));
  EXPECT_EQ(out_.text("dns.encrypted.known_by"), "server_name");
  says(0ms, tls({.server_name = ""}), {.server = {192, 0, 2, 99}});
  EXPECT_EQ(out_.text("dns.encrypted.known_by"), "address");
  ASSERT_THAT(out_.records, SizeIs(2));
  auto section = config::section<Config>();
  observer_->on_settings(*section);
  says(1ms, tls({.server_name = "a.resolver.example", .random = 's'}));
  EXPECT_THAT(out_.records, SizeIs(2));
}

TEST_F(DnsEncrypted, a_connection_is_told_once_however_many_devices_it_passes) {
  const auto hello = tls({.protocols = {"dot"}});
  says(0ms, hello);
  says(1ms, hello, {.interface = "br0"});
  says_by_quic(0ms, initial_with({}), {.server_port = 853});
  says_by_quic(900ms, initial_with({}), {.server_port = 853});
  EXPECT_THAT(out_.records, SizeIs(2));
  says(2s, tls({.protocols = {"dot"}, .random = 's'}));
  EXPECT_THAT(out_.records, SizeIs(3)) << "the port was used again";
  EXPECT_EQ(counts().repeated, 1u);
}

TEST_F(DnsEncrypted, where_no_program_reads_connections_are_told_by_their_destination) {
  says(0ms, "", {.server_port = 853, .client_port = 0});
  says(1ms, "", {.server_port = 853, .client_port = 0});
  ASSERT_THAT(out_.records, SizeIs(2)) << "each is another connection";
  EXPECT_EQ(out_.text("dns.encrypted.protocol"), "dot");
  EXPECT_FALSE(out_.known("client.port"));
  EXPECT_FALSE(out_.known("tls.client.hello"));
  says(2ms, "", {.client_port = 0, .server = {1, 1, 1, 1}});
  EXPECT_EQ(out_.text("dns.encrypted.protocol"), "doh");
  EXPECT_EQ(out_.text("dns.encrypted.known_by"), "address");
}

TEST_F(DnsEncrypted, a_hello_over_two_packets_in_any_order_is_put_together) {
  const auto hello = client_hello({.server_name = "dns.google", .more = 1400});
  const auto first = sealed_initial({.number = 0}, crypto_frame(0, hello.substr(0, 1000)));
  const auto second = sealed_initial({.number = 1}, crypto_frame(1000, hello.substr(1000)));
  for (const auto& [one, other] : {std::pair(first, second), std::pair(second, first)}) {
    observer_.emplace(Config{});
    out_.records.clear();
    says_by_quic(0ms, one);
    EXPECT_THAT(out_.records, IsEmpty());
    says_by_quic(1ms, other);
    ASSERT_THAT(out_.records, SizeIs(1));
    EXPECT_EQ(out_.text("tls.client.server_name"), "dns.google");
    EXPECT_EQ(out_.text("tls.client.hello"), "whole");
    says_by_quic(300ms, second);
    observer_->on_tick(kStart + 10s, out_);
    EXPECT_THAT(out_.records, SizeIs(1)) << "sent anew, and known";
  }
}

TEST_F(DnsEncrypted, shuffled_and_overlapping_pieces_are_put_together) {
  const auto hello = client_hello({.server_name = "dns.google"});
  std::string frames;
  for (std::size_t at = hello.size() / 5 * 5 + 5; at >= 5; at -= 5)
    frames += crypto_frame(at - 5, hello.substr(at - 5, 9));
  says_by_quic(0ms, sealed_initial({}, frames));
  ASSERT_THAT(out_.records, SizeIs(1));
  EXPECT_EQ(out_.text("tls.client.server_name"), "dns.google");
}

TEST_F(DnsEncrypted, what_does_not_come_whole_is_told_by_what_there_is) {
  const auto hello = client_hello({.server_name = "dns.google", .more = 1400});
  const auto first = sealed_initial({}, crypto_frame(0, hello.substr(0, 1000)));
  says_by_quic(0ms, first, {.server_port = 853});
  says_by_quic(0ms, first, {.client_port = 4001});
  observer_->on_tick(kStart + 1s, out_);
  EXPECT_THAT(out_.records, IsEmpty());
  observer_->on_tick(kStart + 2s, out_);
  ASSERT_THAT(out_.records, SizeIs(1)) << "nobody knows what the other one is";
  EXPECT_EQ(out_.text("dns.encrypted.protocol"), "doq");
  EXPECT_EQ(out_.text("tls.client.hello"), "cut");
  says(3s, tls({.more = 5000}).substr(0, TAPIO_DNS_MESSAGE_BYTES), {.server_port = 853});
  EXPECT_EQ(out_.text("dns.encrypted.protocol"), "dot");
  EXPECT_EQ(out_.text("tls.client.hello"), "cut");
}

TEST_F(DnsEncrypted, later_packets_and_other_bytes_are_no_connections) {
  says_by_quic(0ms, std::string(1200, '\xc3'), {.server_port = 853});
  says(0ms, "GET / HTTP/1.1\r\n\r\n", {.server_port = 853});
  says(0ms, "\x16\x03\x01", {.server_port = 853});
  observer_->on_tick(kStart + 10s, out_);
  EXPECT_THAT(out_.records, IsEmpty());
  EXPECT_EQ(counts().unreadable, 2u);
}

TEST_F(DnsEncrypted, the_tables_are_bounded) {
  const auto part = crypto_frame(0, client_hello({.more = 1400}).substr(0, 1000));
  for (std::size_t i = 0; i < Encrypted::kMaxUnderWay + 10; ++i)
    says_by_quic(0ms, sealed_initial({.connection = big_endian(i, 8)}, part), {.server_port = 853});
  EXPECT_EQ(counts().evicted, 10u);
  HelloPieces pieces;
  pieces.add({.offset = ~std::uint64_t{0}, .bytes = {std::byte{1}}});
  EXPECT_THAT(pieces.beginning(), IsEmpty());
  for (std::uint64_t i = 0; i < 3 * HelloPieces::kMaxBytes; i += 3)
    pieces.add({.offset = i, .bytes = std::vector<std::byte>(3, std::byte{1})});
  EXPECT_EQ(pieces.beginning().size(), HelloPieces::kMaxBytes);
}

TEST_F(DnsEncrypted, of_a_flood_of_quic_so_many_packets_are_opened_in_a_second) {
  const auto packet = initial_with({});
  for (std::uint32_t i = 0; i < Encrypted::kMaxOpened + 10; ++i) says_by_quic(0ms, packet);
  EXPECT_EQ(counts().unopened, 10u);
  says_by_quic(1s, initial_with({.server_name = "dns.google"}), {.client_port = 4001});
  EXPECT_THAT(out_.records, SizeIs(1));
}

TEST_F(DnsEncrypted, records_beyond_the_rate_are_counted_and_held_back) {
  Config config;
  config.rate_per_second = 1;
  config.keep_one_in = 0;
  observer_.emplace(config);
  for (const char random : {'a', 'b', 'c'})
    says(0ms, tls({.protocols = {"dot"}, .random = random}));
  EXPECT_THAT(out_.records, SizeIs(1));
  EXPECT_EQ(out_.rate_limited, 2u);
  EXPECT_EQ(counts().dot, 3u);
}

TEST_F(DnsEncrypted, malformed_samples_are_refused) {
  for (const std::uint16_t kind : {TAPIO_DNS_HELLO, TAPIO_DNS_INITIAL}) {
    auto bytes = sample_of({.kind = kind}, tls({}));
    bytes[offsetof(tapio_dns_segment, payload) + 1] = std::byte{0xff};
    EXPECT_FALSE(observer_->on_sample(*wire::open_sample(bytes), out_));
    bytes = sample_of({.kind = kind}, tls({}));
    bytes[offsetof(tapio_dns_segment, ip_version)] = std::byte{5};
    EXPECT_FALSE(observer_->on_sample(*wire::open_sample(bytes), out_));
    bytes = sample_of({.kind = kind}, tls({}));
    bytes[offsetof(tapio_event_header, version)] = std::byte{9};
    EXPECT_FALSE(observer_->on_sample(*wire::open_sample(bytes), out_));
  }
}

// What is kept of a sample in a recording.
std::string kept_of(const Said& said, const std::string& bytes) {
  const auto sample = sample_of(said, bytes);
  Redactor redactor;
  std::vector<std::byte> clean;
  if (!conceal(*wire::open_sample(sample), redactor, clean)) return "malformed";
  const auto greeting = greeting_of(*wire::open_sample(clean));
  return greeting ? std::string(wire::chars(greeting->bytes)) : "malformed";
}

TEST_F(DnsEncrypted, a_recording_keeps_what_clients_say_to_known_servers_alone) {
  const auto ours = tls({.server_name = "dns.google"}), theirs = tls({.server_name = "a.example"});
  EXPECT_EQ(kept_of({}, ours), ours);
  EXPECT_EQ(kept_of({}, theirs), "");
  EXPECT_EQ(kept_of({.server_port = 853}, theirs), theirs);
  const auto our_quic = initial_with({.server_name = "dns.google"}), their_quic = initial_with({});
  EXPECT_EQ(kept_of({.kind = TAPIO_DNS_INITIAL}, our_quic), our_quic);
  EXPECT_EQ(kept_of({.kind = TAPIO_DNS_INITIAL}, their_quic), "");
}

TEST(DnsResolvers, entries_are_names_or_addresses) {
  for (const char* entry : {"dns.example", "resolver", "192.0.2.1", "2001:db8::1", "a_b.example"})
    EXPECT_TRUE(Resolvers::is_valid(entry)) << entry;
  for (const char* entry :
       {"", ".example", "a b", "https://dns.example/dns-query", "dns.example:443"})
    EXPECT_FALSE(Resolvers::is_valid(entry)) << entry;
  EXPECT_FALSE(Resolvers::is_valid(std::string(254, 'a')));
  for (const auto entry : kPublicResolvers) EXPECT_TRUE(Resolvers::is_valid(entry)) << entry;
}

TEST(DnsResolvers, ports_and_resolvers_beyond_the_bounds_are_refused) {
  Config config;
  config.encrypted_ports = {};
  EXPECT_TRUE(config.check()) << "switched off";
  config.encrypted_ports.assign(9, 853);
  EXPECT_FALSE(config.check());
  config.encrypted_ports = {0};
  EXPECT_FALSE(config.check());
  config = {};
  config.encrypted_resolvers.assign(65, "dns.example");
  EXPECT_FALSE(config.check());
  config.encrypted_resolvers = {"not a name"};
  EXPECT_FALSE(config.check());
}

}  // namespace
}  // namespace tapio::dns
