// SPDX-License-Identifier: Apache-2.0
// Every hook of the observer on the live kernel: real sockets, in network namespaces of the tests.
#include <chrono>
#include <thread>

#include "dns_cable.hpp"
#include "dns_config.hpp"
#include "dns_loopback.hpp"
#include "dns_messages.hpp"
#include "rig.hpp"

namespace tapio::dns {

extern const Descriptor descriptor;

namespace {

using namespace std::chrono_literals;

std::unique_ptr<config::Section> wide_open(Config config = {}) {
  config.rate_per_second = config.packets_per_second = 0;
  config.ring = ByteSize{4 << 20};
  auto section = config::section<Config>();
  section->as<Config>() = config;
  return section;
}

// The test is not its own agent here: what it does itself is to be seen.
Rig make_rig(const Config& config = {}) {
  return Rig(descriptor, *wide_open(config), {.self_tgid = 1});
}

// Others on this machine ask, too: only these names are the test's.
std::string name_of(pid_t pid, std::string_view first = "www") {
  return fmt::format("{}.p{}.tapio.example", first, pid);
}
std::vector<const Record*> records_of(const Rig& rig, const std::string& name) {
  std::vector<const Record*> list;
  for (const Record& record : rig.out.records)
    if (record.schema->name == "dns.query" &&
        field<std::string_view>(record, "dns.question.name") == name)
      list.push_back(&record);
  return list;
}
Wire answer_to(std::uint16_t id, const std::string& name) {
  auto wire = Wire::answer(id, name, kA);
  wire.record("\xc0\x0c", kA, 60, "\x0a\x01\x02\x03");
  return wire;
}

// One lookup over the loopback device of an own network.
int look_up(const char* address, std::uint16_t port) {
  if (!enter_own_network()) return 1;
  Udp server(address, port), client(address, 0);
  const auto name = name_of(::getpid());
  return exchange(server, client, address, port, Wire::query(7, name, kA).text(),
                  answer_to(7, name).text())
             ? 0
             : 2;
}

class DnsOnKernel : public OnEveryPath {};
INSTANTIATE_TEST_SUITE_P(Paths, DnsOnKernel, kEveryPath, path_name);

TEST_P(DnsOnKernel, a_lookup_names_who_asked_and_what_was_answered) {
  for (const char* address : {"127.0.0.1", "::1"}) {
    auto rig = make_rig();
    const pid_t pid = child([&] { return look_up(address, 53); });
    ASSERT_EQ(wait_for(pid), 0) << address;
    rig.drain();
    const auto records = records_of(rig, name_of(pid));
    ASSERT_EQ(records.size(), 1u) << address;
    const Record& record = *records[0];
    EXPECT_EQ(record.origin.pid, static_cast<std::uint32_t>(pid));
    EXPECT_NE(record.origin.cgroup_id, 0u);
    EXPECT_EQ(field<std::string_view>(record, "dns.outcome"), "answered");
    EXPECT_EQ(field<std::string_view>(record, "dns.role"), "client");
    EXPECT_EQ(field<std::string_view>(record, "server.address"), address);
    EXPECT_EQ(field<std::string_view>(record, "network.interface.name"), "lo");
    const auto answers = field<std::span<const std::string_view>>(record, "dns.answers");
    ASSERT_EQ(answers.size(), 1u);
    EXPECT_EQ(answers[0], "10.1.2.3");
    const auto took = field<std::chrono::nanoseconds>(record, "dns.lookup.duration");
    EXPECT_GT(took, 0ns);
    EXPECT_LT(took, 1s);
  }
}

TEST_P(DnsOnKernel, ports_are_those_of_the_configuration) {
  Config config;
  config.ports = {53, 5300};
  auto rig = make_rig(config);
  const pid_t asked = child([] { return look_up("127.0.0.1", 5300); });
  const pid_t elsewhere = child([] { return look_up("127.0.0.1", 5301); });
  ASSERT_EQ(wait_for(asked), 0);
  ASSERT_EQ(wait_for(elsewhere), 0);
  rig.drain();
  EXPECT_EQ(records_of(rig, name_of(asked)).size(), 1u);
  EXPECT_EQ(records_of(rig, name_of(elsewhere)).size(), 0u);
}

TEST_P(DnsOnKernel, only_the_interfaces_that_were_chosen_are_watched) {
  for (const char* chosen : {"lo", "lo0"}) {
    Config config;
    config.interfaces = {"nothing", chosen};
    auto rig = make_rig(config);
    const pid_t pid = child([] { return look_up("127.0.0.1", 53); });
    ASSERT_EQ(wait_for(pid), 0);
    rig.drain();
    EXPECT_EQ(records_of(rig, name_of(pid)).size(), chosen == std::string_view("lo") ? 1u : 0u);
  }
}

TEST_P(DnsOnKernel, a_query_that_is_sent_again_and_a_stray_answer_are_told) {
  auto rig = make_rig();
  const pid_t pid = child([] {
    if (!enter_own_network()) return 1;
    Udp server("127.0.0.1", 53), other("127.0.0.2", 53), client("127.0.0.1", 0);
    const auto name = name_of(::getpid());
    const auto query = Wire::query(7, name, kA).text(), answer = answer_to(7, name).text();
    if (!client.send(query, "127.0.0.1", 53) || !server.receive()) return 2;
    std::this_thread::sleep_for(10ms);
    if (!client.send(query, "127.0.0.1", 53) || !server.receive()) return 3;
    return other.answer_to(server, answer) && server.answer(answer) && client.receive() ? 0 : 4;
  });
  ASSERT_EQ(wait_for(pid), 0);
  rig.drain();
  const auto records = records_of(rig, name_of(pid));
  ASSERT_EQ(records.size(), 1u);
  EXPECT_EQ(field<std::uint64_t>(*records[0], "dns.attempt"), 2u);
  EXPECT_EQ(field<std::string_view>(*records[0], "dns.stray.address"), "127.0.0.2");
  EXPECT_GT(field<std::chrono::nanoseconds>(*records[0], "dns.lookup.duration"), 10ms);
}

TEST_P(DnsOnKernel, an_answer_of_more_than_512_bytes_is_read_whole) {
  auto rig = make_rig();
  const pid_t pid = child([] {
    if (!enter_own_network()) return 1;
    Udp server("127.0.0.1", 53), client("127.0.0.1", 0);
    const auto name = name_of(::getpid());
    auto answer = Wire::answer(7, name, kTxt);
    for (int i = 0; i < 6; ++i) answer.record("\xc0\x0c", kTxt, 60, "\xc8" + std::string(200, 'x'));
    return exchange(server, client, "127.0.0.1", 53, Wire::query(7, name, kTxt).text(),
                    answer.text())
               ? 0
               : 2;
  });
  ASSERT_EQ(wait_for(pid), 0);
  rig.drain();
  const auto records = records_of(rig, name_of(pid));
  ASSERT_EQ(records.size(), 1u);
  EXPECT_GT(field<std::uint64_t>(*records[0], "dns.answer.size"), 1200u);
  EXPECT_EQ(field<std::span<const std::string_view>>(*records[0], "dns.answer.records").size(), 6u);
  EXPECT_EQ(field<std::string_view>(*records[0], "dns.message"), "whole");
}

constexpr CableEnds kEnds{.client = "10.77.0.1", .server = "10.77.0.53"};

// Two questions and their answers.
int look_up_by_cable() {
  const auto name = name_of(::getpid());
  const auto serve = [&](const auto& listens) {
    Udp server(kEnds.server, 53);
    if (!listens()) return false;
    for (const std::uint16_t id : {1, 2})
      if (!server.receive() || !server.answer(answer_to(id, name).text())) return false;
    return true;
  };
  return ask_by_cable(kEnds, serve, [&] {
    Udp client(kEnds.client, 0);
    for (const std::uint16_t id : {1, 2})
      if (!client.send(Wire::query(id, name, kA).text(), kEnds.server, 53) || !client.receive())
        return false;
    return true;
  });
}

TEST_P(DnsOnKernel, a_lookup_over_a_cable_into_another_network_is_one_record_of_the_client) {
  if (!has_cables()) GTEST_SKIP() << "this kernel has no veth";
  auto rig = make_rig();
  const pid_t pid = child(look_up_by_cable);
  ASSERT_EQ(WEXITSTATUS(wait_for(pid)), 0);
  rig.drain();
  const auto records = records_of(rig, name_of(pid));
  ASSERT_EQ(records.size(), 2u);
  const Record& second = *records[1];
  EXPECT_EQ(second.origin.pid, static_cast<std::uint32_t>(pid));
  EXPECT_EQ(field<std::string_view>(second, "dns.role"), "client");
  EXPECT_EQ(field<std::string_view>(second, "dns.outcome"), "answered");
  EXPECT_EQ(field<std::string_view>(second, "server.address"), kEnds.server);
  EXPECT_EQ(field<std::string_view>(second, "client.address"), kEnds.client);
  EXPECT_EQ(field<std::string_view>(second, "network.interface.name"), "asks");
}

TEST_P(DnsOnKernel, other_datagrams_on_the_port_and_bytes_that_are_no_message_do_no_harm) {
  auto rig = make_rig();
  const pid_t pid = child([] {
    if (!enter_own_network()) return 1;
    Udp server("127.0.0.1", 53), client("127.0.0.1", 0);
    const std::string strange[] = {"", "x", std::string(11, '\0'), std::string(12, '\xff'),
                                   std::string(4000, '\xc0')};
    for (const auto& bytes : strange)
      if (!exchange(server, client, "127.0.0.1", 53, bytes, bytes)) return 2;
    const auto name = name_of(::getpid());
    return exchange(server, client, "127.0.0.1", 53, Wire::query(7, name, kA).text(),
                    answer_to(7, name).text())
               ? 0
               : 3;
  });
  ASSERT_EQ(wait_for(pid), 0);
  rig.drain();
  EXPECT_EQ(records_of(rig, name_of(pid)).size(), 1u);
}

TEST_P(DnsOnKernel, every_lookup_of_a_thousand_is_there_and_the_books_add_up) {
  constexpr std::uint16_t kLookups = 1'000;
  auto rig = make_rig();
  const pid_t pid = child([] {
    if (!enter_own_network()) return 1;
    Udp server("127.0.0.1", 53), client("127.0.0.1", 0);
    const auto name = name_of(::getpid());
    for (std::uint16_t id = 0; id < kLookups; ++id)
      if (!exchange(server, client, "127.0.0.1", 53, Wire::query(id, name, kA).text(),
                    answer_to(id, name).text()))
        return 2;
    return 0;
  });
  ASSERT_EQ(wait_for(pid), 0);
  rig.drain();
  EXPECT_EQ(records_of(rig, name_of(pid)).size(), kLookups);
  rig.programs->detach();
  rig.drain();
  for (const std::uint32_t hook : {TAPIO_DNS_ON_SEND, TAPIO_DNS_ON_RECEIVE}) {
    const auto balance = rig.balance(hook);
    EXPECT_EQ(balance.residue, 0u) << hook;
  }
}

}  // namespace
}  // namespace tapio::dns
