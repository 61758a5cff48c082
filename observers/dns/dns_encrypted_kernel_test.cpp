// SPDX-License-Identifier: Apache-2.0
// Beginnings of encrypted DNS on the live kernel: real sockets, in network namespaces of the tests.
#include <gmock/gmock.h>

#include "dns_config.hpp"
#include "dns_hellos.hpp"
#include "dns_tcp_loopback.hpp"
#include "rig.hpp"

namespace tapio::dns {

extern const Descriptor descriptor;

namespace {

std::string name_of(pid_t pid) {
  return fmt::format("p{}.tapio.example", pid);
}
std::string hello_of(pid_t pid, const std::vector<std::string>& protocols = {}) {
  return in_records(client_hello({.server_name = name_of(pid), .protocols = protocols}));
}

// A client says this over a connection of an own network; what follows it says nothing new.
bool say(const char* address, std::uint16_t port, const std::string& hello) {
  const TcpServer listener(address, port);
  const auto client = Tcp::to(address, port);
  const auto server = listener.accept();
  const std::string data = "\x17\x03\x03" + sized(2, std::string(5000, 'x'));
  return client.send(hello) && server.receive(hello.size()) && server.send("\x16\x03\x03") &&
         client.receive(3) && client.send(data) && server.receive(data.size());
}
bool say_by_quic(const char* address, std::uint16_t port, const std::vector<std::string>& packets) {
  Udp server(address, port), client(address, 0);
  return std::ranges::all_of(packets, [&](const std::string& packet) {
    return client.send(packet, address, port) && server.receive();
  });
}

class DnsEncryptedOnKernel : public OnEveryPath {
 protected:
  // The test is not its own agent here: what it does itself is to be seen.
  void watch(Config config = {}) {
    config.rate_per_second = config.packets_per_second = 0;
    config.ring = ByteSize{4 << 20};
    auto section = config::section<Config>();
    section->as<Config>() = config;
    rig_.reset();
    rig_ = std::make_unique<Rig>(descriptor, *section, Rig::Options{.self_tgid = 1});
  }
  [[nodiscard]] std::string_view reads_tcp() const { return rig_->program(TAPIO_DNS_ON_TCP_SEND); }
  // Of what a child did that ended well.
  std::vector<const Record*> records_of(pid_t pid) {
    EXPECT_EQ(wait_for(pid), 0);
    rig_->drain();
    std::vector<const Record*> list;
    for (const Record& record : rig_->out.records)
      if (record.schema->name == "dns.encrypted" &&
          record.origin.pid == static_cast<std::uint32_t>(pid))
        list.push_back(&record);
    return list;
  }

  std::unique_ptr<Rig> rig_;
};

// Programs read TCP in packets, at its sockets, or not at all.
INSTANTIATE_TEST_SUITE_P(Paths, DnsEncryptedOnKernel,
                         testing::Values("", "skb_dynptr", "ringbuf,skb_dynptr",
                                         "skb_dynptr,fentry", "skb_dynptr,fentry,tp_btf,ringbuf"),
                         path_name);

TEST_P(DnsEncryptedOnKernel, a_connection_over_tls_is_told_once_with_who_began_it) {
  watch();
  for (const char* address : {"127.0.0.1", "::1"}) {
    const pid_t pid = child([&] {
      if (!enter_own_network()) return 1;
      return say(address, 853, hello_of(::getpid(), {"dot"})) ? 0 : 2;
    });
    const auto records = records_of(pid);
    ASSERT_EQ(records.size(), 1u) << address;
    const Record& record = *records[0];
    EXPECT_NE(record.origin.cgroup_id, 0u);
    EXPECT_EQ(field<std::string_view>(record, "dns.encrypted.protocol"), "dot");
    EXPECT_EQ(field<std::string_view>(record, "server.address"), address);
    EXPECT_EQ(field<std::uint64_t>(record, "server.port"), 853u);
    EXPECT_EQ(field<std::string_view>(record, "client.address"), address);
    const bool is_read = !reads_tcp().empty(), has_device = reads_tcp() == "packet_sent_btf";
    EXPECT_EQ(field<std::string_view>(record, "tls.client.server_name"),
              is_read ? name_of(pid) : "");
    EXPECT_EQ(field<std::string_view>(record, "tls.client.hello"), is_read ? "whole" : "");
    EXPECT_EQ(field<std::string_view>(record, "dns.encrypted.known_by"), is_read ? "alpn" : "port");
    EXPECT_EQ(field<std::uint64_t>(record, "client.port") != 0, is_read);
    EXPECT_EQ(field<std::string_view>(record, "network.interface.name"), has_device ? "lo" : "");
  }
}

TEST_P(DnsEncryptedOnKernel, both_versions_of_quic_are_read) {
  watch();
  for (const std::uint32_t version : {kQuicV1, kQuicV2}) {
    for (const char* address : {"127.0.0.1", "::1"}) {
      const pid_t pid = child([&] {
        if (!enter_own_network()) return 1;
        const auto hello =
            client_hello({.server_name = name_of(::getpid()), .protocols = {"doq"}, .more = 1300});
        return say_by_quic(address, 853,
                           {sealed_initial({.version = version, .number = 0},
                                           crypto_frame(0, hello.substr(0, 1100))),
                            sealed_initial({.version = version, .number = 1},
                                           crypto_frame(1100, hello.substr(1100)))})
                   ? 0
                   : 2;
      });
      const auto records = records_of(pid);
      ASSERT_EQ(records.size(), 1u) << address;
      EXPECT_EQ(field<std::string_view>(*records[0], "dns.encrypted.protocol"), "doq");
      EXPECT_EQ(field<std::string_view>(*records[0], "tls.client.server_name"), name_of(pid));
      EXPECT_EQ(field<std::string_view>(*records[0], "network.interface.name"), "lo");
    }
  }
}

// Nobody's server here, and then the configuration says that it is one.
TEST_P(DnsEncryptedOnKernel, connections_with_unknown_servers_are_seen_and_not_told) {
  const auto connect = [] {
    if (!enter_own_network()) return 1;
    const auto hello = client_hello({.server_name = name_of(::getpid())});
    return say("127.0.0.1", 443, in_records(hello)) &&
                   say_by_quic("127.0.0.1", 443, {sealed_initial({}, crypto_frame(0, hello))})
               ? 0
               : 2;
  };
  watch();
  EXPECT_EQ(records_of(child(connect)).size(), 0u);
  Config config;
  config.encrypted_resolvers = {"tapio.example"};
  watch(config);
  const auto by_name = records_of(child(connect));
  ASSERT_EQ(by_name.size(), reads_tcp().empty() ? 1u : 2u) << "QUIC is read everywhere";
  for (const Record* record : by_name) {
    EXPECT_EQ(field<std::string_view>(*record, "dns.encrypted.protocol"), "doh");
    EXPECT_EQ(field<std::string_view>(*record, "dns.encrypted.known_by"), "server_name");
  }
  config.encrypted_resolvers = {"127.0.0.1"};
  watch(config);
  EXPECT_EQ(records_of(child(connect)).size(), 2u);
}

TEST_P(DnsEncryptedOnKernel, ports_are_those_of_the_configuration) {
  Config config;
  config.encrypted_ports = {8853};
  config.encrypted_resolvers = {"127.0.0.1"};
  watch(config);
  const pid_t pid = child([] {
    if (!enter_own_network()) return 1;
    const auto packet = initial_with({.server_name = name_of(::getpid())});
    for (const std::uint16_t port : {853, 8853})
      if (!say("127.0.0.1", port, hello_of(::getpid())) ||
          !say_by_quic("127.0.0.1", port, {packet}))
        return 2;
    return 0;
  });
  const auto records = records_of(pid);
  ASSERT_EQ(records.size(), 2u);
  for (const Record* record : records)
    EXPECT_EQ(field<std::uint64_t>(*record, "server.port"), 8853u);
  config.encrypted_ports = {};
  watch(config);
  const pid_t other = child([] {
    if (!enter_own_network()) return 1;
    return say("127.0.0.1", 853, hello_of(::getpid())) ? 0 : 2;
  });
  EXPECT_EQ(records_of(other).size(), 0u) << "it is switched off";
}

TEST_P(DnsEncryptedOnKernel, only_the_interfaces_that_were_chosen_are_watched) {
  Config config;
  config.interfaces = {"nothing"};
  watch(config);
  const bool at_sockets = reads_tcp() != "packet_sent_btf";
  const pid_t pid = child([] {
    if (!enter_own_network()) return 1;
    return say("127.0.0.1", 853, hello_of(::getpid())) &&
                   say_by_quic("127.0.0.1", 853, {initial_with({})})
               ? 0
               : 2;
  });
  EXPECT_EQ(records_of(pid).size(), at_sockets ? 1u : 0u) << "a socket has no interface";
}

TEST_P(DnsEncryptedOnKernel, what_is_neither_tls_nor_quic_costs_no_event) {
  watch();
  const pid_t pid = child([] {
    if (!enter_own_network()) return 1;
    const auto server_hello = "\xc3" + big_endian(7, 4) + std::string(1300, 'x');
    return say("127.0.0.1", 853, "GET / HTTP/1.1\r\n\r\n") && say("127.0.0.1", 853, "x") &&
                   say_by_quic("127.0.0.1", 853, {"", "short", server_hello})
               ? 0
               : 2;
  });
  EXPECT_EQ(records_of(pid).size(), reads_tcp().empty() ? 2u : 0u);
  rig_->programs->detach();
  rig_->drain();
  for (const std::uint32_t hook : {TAPIO_DNS_ON_SEND, TAPIO_DNS_ON_TCP_SEND, TAPIO_DNS_ON_TCP_OPEN})
    EXPECT_EQ(rig_->balance(hook).residue, 0u) << hook;
}

TEST_P(DnsEncryptedOnKernel, every_connection_of_two_hundred_is_there_and_the_books_add_up) {
  constexpr int kConnections = 200;
  watch();
  const pid_t pid = child([] {
    if (!enter_own_network()) return 1;
    const TcpServer listener("127.0.0.1", 853);
    for (int i = 0; i < kConnections; ++i) {
      const auto hello = hello_of(::getpid(), {"dot"});
      const auto client = Tcp::to("127.0.0.1", 853);
      const auto server = listener.accept();
      if (!client.send(hello) || !server.receive(hello.size())) return 2;
    }
    return 0;
  });
  EXPECT_EQ(records_of(pid).size(), static_cast<std::size_t>(kConnections));
  rig_->programs->detach();
  rig_->drain();
  for (const std::uint32_t hook : {TAPIO_DNS_ON_TCP_SEND, TAPIO_DNS_ON_TCP_OPEN})
    EXPECT_EQ(rig_->balance(hook).residue, 0u) << hook;
}

}  // namespace
}  // namespace tapio::dns
