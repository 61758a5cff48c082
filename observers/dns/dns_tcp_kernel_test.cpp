// SPDX-License-Identifier: Apache-2.0
// DNS over TCP on the live kernel: real sockets, in network namespaces of the tests.
#include <chrono>
#include <thread>

#include "dns_cable.hpp"
#include "dns_config.hpp"
#include "dns_messages.hpp"
#include "dns_tcp_loopback.hpp"
#include "rig.hpp"

namespace tapio::dns {

extern const Descriptor descriptor;

namespace {

using namespace std::chrono_literals;

std::string name_of(pid_t pid, std::string_view first = "www") {
  return fmt::format("{}.p{}.tapio.example", first, pid);
}
Wire answer_to(std::uint16_t id, const std::string& name) {
  auto wire = Wire::answer(id, name, kA);
  wire.record("\xc0\x0c", kA, 60, "\x0a\x01\x02\x03");
  return wire;
}
std::string asked(std::uint16_t id, const std::string& name) {
  return framed(Wire::query(id, name, kA).text());
}
std::string answered(std::uint16_t id, const std::string& name) {
  return framed(answer_to(id, name).text());
}

// Both ends of a connection over the loopback device of an own network.
struct Pair {
  TcpServer listener;
  Tcp client, server;
  explicit Pair(const char* address, std::uint16_t port = 53)
      : listener(address, port), client(Tcp::to(address, port)), server(listener.accept()) {}
  [[nodiscard]] bool look_up(std::uint16_t id, const std::string& name) const {
    return exchange(client, server, Wire::query(id, name, kA).text(), answer_to(id, name).text());
  }
};

class DnsTcpOnKernel : public OnEveryPath {
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
  [[nodiscard]] bool is_served() const {
    return !rig_->program(TAPIO_DNS_ON_TCP_SEND).empty() &&
           !rig_->program(TAPIO_DNS_ON_TCP_RECEIVE).empty();
  }
  [[nodiscard]] std::string why_not() const {
    const auto choices = rig_->programs->choices();
    return choices[TAPIO_DNS_ON_TCP_SEND].reason + choices[TAPIO_DNS_ON_TCP_RECEIVE].reason;
  }
  [[nodiscard]] bool at_sockets() const {
    return rig_->program(TAPIO_DNS_ON_TCP_SEND) == "tcp_sent_fentry";
  }
  // The records about this name, of what a child did that ended well.
  std::vector<const Record*> records_of(pid_t pid, const std::string& name) {
    EXPECT_EQ(wait_for(pid), 0);
    rig_->drain();
    std::vector<const Record*> list;
    for (const Record& record : rig_->out.records)
      if (record.schema->name == "dns.query" &&
          field<std::string_view>(record, "dns.question.name") == name)
        list.push_back(&record);
    return list;
  }

  std::unique_ptr<Rig> rig_;
};

#define WATCH_OR_SKIP() \
  watch();              \
  if (!is_served()) GTEST_SKIP() << why_not()

INSTANTIATE_TEST_SUITE_P(Paths, DnsTcpOnKernel,
                         testing::Values("", "skb_dynptr", "ringbuf", "ringbuf,skb_dynptr",
                                         "skb_dynptr,fentry"),
                         path_name);

TEST_P(DnsTcpOnKernel, a_lookup_over_tcp_names_who_asked_and_what_was_answered) {
  for (const char* address : {"127.0.0.1", "::1"}) {
    WATCH_OR_SKIP();
    const pid_t pid = child([&] {
      if (!enter_own_network()) return 1;
      return Pair(address).look_up(7, name_of(::getpid())) ? 0 : 2;
    });
    const auto records = records_of(pid, name_of(pid));
    ASSERT_EQ(records.size(), 1u) << address;
    const Record& record = *records[0];
    EXPECT_EQ(record.origin.pid, static_cast<std::uint32_t>(pid));
    EXPECT_NE(record.origin.cgroup_id, 0u);
    EXPECT_EQ(field<std::string_view>(record, "dns.outcome"), "answered");
    EXPECT_EQ(field<std::string_view>(record, "dns.role"), "client");
    EXPECT_EQ(field<std::string_view>(record, "network.transport"), "tcp");
    EXPECT_EQ(field<std::string_view>(record, "server.address"), address);
    EXPECT_EQ(field<std::uint64_t>(record, "server.port"), 53u);
    EXPECT_EQ(field<std::string_view>(record, "client.address"), address);
    EXPECT_NE(field<std::uint64_t>(record, "client.port"), 0u);
    EXPECT_EQ(field<std::string_view>(record, "network.interface.name"), at_sockets() ? "" : "lo");
    EXPECT_EQ(field<std::uint64_t>(record, "dns.answer.size"),
              answer_to(7, name_of(pid)).text().size());
    const auto answers = field<std::span<const std::string_view>>(record, "dns.answers");
    ASSERT_EQ(answers.size(), 1u);
    EXPECT_EQ(answers[0], "10.1.2.3");
    const auto took = field<std::chrono::nanoseconds>(record, "dns.lookup.duration");
    EXPECT_GT(took, 0ns);
    EXPECT_LT(took, 30s) << "an emulator is slow";
  }
}

TEST_P(DnsTcpOnKernel, an_answer_cut_by_the_server_is_followed_by_one_over_tcp) {
  WATCH_OR_SKIP();
  const pid_t pid = child([] {
    if (!enter_own_network()) return 1;
    const auto name = name_of(::getpid());
    Udp server("127.0.0.1", 53), client("127.0.0.1", 0);
    if (!exchange(server, client, "127.0.0.1", 53, Wire::query(7, name, kA).text(),
                  Wire::answer(7, name, kA, TAPIO_DNS_TC).text()))
      return 2;
    return Pair("127.0.0.1").look_up(7, name) ? 0 : 3;
  });
  const auto records = records_of(pid, name_of(pid));
  ASSERT_EQ(records.size(), 2u);
  EXPECT_EQ(field<std::string_view>(*records[0], "network.transport"), "udp");
  EXPECT_EQ(field<std::string_view>(*records[1], "network.transport"), "tcp");
  EXPECT_EQ(field<std::uint64_t>(*records[1], "dns.attempt"), 1u);
}

TEST_P(DnsTcpOnKernel, messages_are_found_in_whatever_segments_they_are_sent) {
  WATCH_OR_SKIP();
  const pid_t pid = child([] {
    if (!enter_own_network()) return 1;
    const Pair pair("127.0.0.1");
    const auto name = name_of(::getpid());
    // two in one segment, and their answers, in another order
    const auto both = asked(1, name) + asked(2, name), late = answered(2, name),
               early = answered(1, name);
    if (!pair.client.send(both) || !pair.server.receive(both.size()) ||
        !pair.server.send(late + early) || !pair.client.receive(late.size() + early.size()))
      return 2;
    // one in three segments: the length alone, then two halves
    const auto query = asked(3, name), answer = answered(3, name);
    for (const auto& part : {query.substr(0, 2), query.substr(2, 20), query.substr(22)})
      if (!pair.client.send(part) || !pair.server.receive(part.size())) return 3;
    for (const auto& part : {answer.substr(0, 2), answer.substr(2, 20), answer.substr(22)})
      if (!pair.server.send(part) || !pair.client.receive(part.size())) return 4;
    return 0;
  });
  const auto records = records_of(pid, name_of(pid));
  ASSERT_EQ(records.size(), 3u);
  for (const Record* record : records) {
    EXPECT_EQ(field<std::string_view>(*record, "dns.outcome"), "answered");
    EXPECT_EQ(field<std::string_view>(*record, "dns.message"), "whole");
    EXPECT_EQ(record->origin.pid, static_cast<std::uint32_t>(pid));
  }
}

TEST_P(DnsTcpOnKernel, length_and_message_in_two_buffers_of_one_call_are_read) {
  WATCH_OR_SKIP();
  const pid_t pid = child([] {
    if (!enter_own_network()) return 1;
    const Pair pair("127.0.0.1");
    const auto name = name_of(::getpid());
    const auto query = asked(7, name), answer = answered(7, name);
    return pair.client.send_in_two(query, 2) && pair.server.receive_in_two(query.size(), 2) &&
                   pair.server.send_in_two(answer, 2) &&
                   pair.client.receive_in_two(answer.size(), 2)
               ? 0
               : 2;
  });
  const auto records = records_of(pid, name_of(pid));
  ASSERT_EQ(records.size(), 1u);
  EXPECT_EQ(field<std::string_view>(*records[0], "dns.outcome"), "answered");
  EXPECT_EQ(field<std::string_view>(*records[0], "dns.message"), "whole");
}

TEST_P(DnsTcpOnKernel, a_long_answer_is_cut_by_the_capture_and_the_next_one_is_whole) {
  WATCH_OR_SKIP();
  const pid_t pid = child([] {
    if (!enter_own_network()) return 1;
    const Pair pair("127.0.0.1");
    const auto name = name_of(::getpid());
    auto answer = Wire::answer(7, name, kTxt);
    for (int i = 0; i < 40; ++i)
      answer.record("\xc0\x0c", kTxt, 60, "\xc8" + std::string(200, 'x'));
    return exchange(pair.client, pair.server, Wire::query(7, name, kTxt).text(), answer.text()) &&
                   pair.look_up(8, name)
               ? 0
               : 2;
  });
  const auto records = records_of(pid, name_of(pid));
  ASSERT_EQ(records.size(), 2u);
  EXPECT_EQ(field<std::string_view>(*records[0], "dns.message"), "cut");
  EXPECT_EQ(field<std::uint64_t>(*records[0], "dns.answer.count"), 40u);
  EXPECT_GT(field<std::uint64_t>(*records[0], "dns.answer.size"), 8'000u);
  EXPECT_EQ(field<std::string_view>(*records[1], "dns.message"), "whole");
}

constexpr CableEnds kEnds{.client = "10.77.1.1", .server = "10.77.1.53"};

// Two questions and their answers.
int look_up_by_cable() {
  const auto name = name_of(::getpid());
  const auto serve = [&](const auto& listens) {
    const TcpServer listener(kEnds.server, 53);
    if (!listener.listens() || !listens()) return false;
    const auto server = listener.accept();
    for (const std::uint16_t id : {1, 2})
      if (!server.receive(asked(id, name).size()) || !server.send(answered(id, name))) return false;
    return true;
  };
  return ask_by_cable(kEnds, serve, [&] {
    const auto client = Tcp::to(kEnds.server, 53);
    for (const std::uint16_t id : {1, 2})
      if (!client.send(asked(id, name)) || !client.receive(answered(id, name).size())) return false;
    return true;
  });
}

TEST_P(DnsTcpOnKernel, lookups_over_a_cable_into_another_network_are_records_of_the_client) {
  if (!has_cables()) GTEST_SKIP() << "this kernel has no veth";
  WATCH_OR_SKIP();
  const pid_t pid = child(look_up_by_cable);
  const auto records = records_of(pid, name_of(pid));
  ASSERT_EQ(records.size(), 2u);
  for (const Record* record : records) {
    EXPECT_EQ(record->origin.pid, static_cast<std::uint32_t>(pid));
    EXPECT_EQ(field<std::string_view>(*record, "dns.role"), "client");
    EXPECT_EQ(field<std::string_view>(*record, "dns.outcome"), "answered");
    EXPECT_EQ(field<std::string_view>(*record, "server.address"), kEnds.server);
    EXPECT_EQ(field<std::string_view>(*record, "client.address"), kEnds.client);
    EXPECT_EQ(field<std::string_view>(*record, "network.interface.name"),
              at_sockets() ? "" : "asks");
  }
}

TEST_P(DnsTcpOnKernel, ports_are_those_of_the_configuration_and_other_bytes_do_no_harm) {
  Config config;
  config.ports = {53, 5300};
  watch(config);
  if (!is_served()) GTEST_SKIP() << why_not();
  const pid_t pid = child([] {
    if (!enter_own_network()) return 1;
    const auto name = name_of(::getpid());
    const Pair asks("127.0.0.1", 5300), elsewhere("127.0.0.1", 5301), strange("127.0.0.1");
    for (const auto& bytes :
         {std::string("\xff\xff"), std::string(5000, '\xff'), std::string(1, 'x')})
      if (!strange.client.send(bytes) || !strange.server.receive(bytes.size())) return 2;
    return asks.look_up(1, name) && elsewhere.look_up(2, name) ? 0 : 3;
  });
  EXPECT_EQ(records_of(pid, name_of(pid)).size(), 1u);
}

TEST_P(DnsTcpOnKernel, every_lookup_of_a_thousand_is_there_and_the_books_add_up) {
  constexpr std::uint16_t kLookups = 1'000, kAtOnce = 5;
  WATCH_OR_SKIP();
  const pid_t pid = child([] {
    if (!enter_own_network()) return 1;
    const auto name = name_of(::getpid());
    const Pair pair("127.0.0.1");
    for (std::uint16_t id = 0; id < kLookups; id += kAtOnce) {
      std::string questions, answers;
      for (std::uint16_t i = 0; i < kAtOnce; ++i) {
        questions += asked(id + i, name);
        answers.insert(0, answered(id + i, name));
      }
      if (!pair.client.send(questions) || !pair.server.receive(questions.size()) ||
          !pair.server.send(answers) || !pair.client.receive(answers.size()))
        return 2;
    }
    return 0;
  });
  const auto records = records_of(pid, name_of(pid));
  EXPECT_EQ(records.size(), kLookups);
  for (const Record* record : records)
    ASSERT_EQ(field<std::string_view>(*record, "dns.outcome"), "answered");
  rig_->programs->detach();
  rig_->drain();
  for (const std::uint32_t hook :
       {TAPIO_DNS_ON_TCP_SEND, TAPIO_DNS_ON_TCP_RECEIVE, TAPIO_DNS_ON_TCP_OPEN})
    EXPECT_EQ(rig_->balance(hook).residue, 0u) << hook;
}

// Others on this machine may open some, too.
TEST_P(DnsTcpOnKernel, connections_are_counted_also_where_nothing_of_them_can_be_read) {
  constexpr std::uint64_t kConnections = 20;
  watch();
  const pid_t pid = child([] {
    if (!enter_own_network()) return 1;
    for (std::uint64_t i = 0; i < kConnections; ++i)
      if (const Pair pair("127.0.0.1"); !pair.client || !pair.server) return 2;
    return 0;
  });
  ASSERT_EQ(wait_for(pid), 0);
  rig_->drain();
  const auto row = rig_->balance(TAPIO_DNS_ON_TCP_OPEN).row;
  EXPECT_GE(row.classes[TAPIO_BULK].wanted, 2 * kConnections) << "each has both ends here";
  EXPECT_GT(row.filtered, 0u);
}

}  // namespace
}  // namespace tapio::dns
