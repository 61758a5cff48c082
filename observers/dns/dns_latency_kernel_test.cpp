// SPDX-License-Identifier: Apache-2.0
// The histograms that programs keep, on the live kernel: they say what records say, and go on where
// records end.
#include <map>
#include <thread>

#include "capture/entries.hpp"
#include "dns_cable.hpp"
#include "dns_config.hpp"
#include "dns_exchanges.hpp"
#include "dns_histogram.hpp"
#include "dns_loopback.hpp"
#include "dns_messages.hpp"
#include "rig.hpp"
#include "test_cgroup.hpp"

namespace tapio::dns {

extern const Descriptor descriptor;

namespace {

using namespace std::chrono_literals;

// So many lookups of a client over the loopback device of an own network.
bool look_up(std::uint16_t how_many, const char* address = "127.0.0.1") {
  Udp server(address, own_port()), client("127.0.0.1", 0);
  for (std::uint16_t id = 0; id < how_many; ++id)
    if (!exchange(server, client, address, own_port(), Wire::query(id, "a.example", kA).text(),
                  Wire::answer(id, "a.example", kA).text()))
      return false;
  return true;
}

class DnsLatencyOnKernel : public OnEveryPath {
 protected:
  // Nobody fills the limiter while a child is at work, and an emulator takes its time.
  static Config unlimited() {
    Config config;
    config.packets_per_second = 0;
    return config;
  }
  void watch(Config config = unlimited()) {
    config.ports = {own_port()};
    config.rate_per_second = 0;
    config.health_interval = 1s;
    config.ring = ByteSize{4 << 20};
    auto section = config::section<Config>();
    section->as<Config>() = config;
    rig_ = std::make_unique<Rig>(descriptor, *section, Rig::Options{.self_tgid = 1});
    rig_->tick(monotonic_now());
  }
  // What is told of latencies after a child has done this.
  std::vector<const Record*> after(const std::function<int()>& act) {
    EXPECT_EQ(wait_for(child(act)), 0);
    rig_->drain();
    rig_->tick(monotonic_now() + 1s);
    return records("dns.latency");
  }
  [[nodiscard]] std::vector<const Record*> records(std::string_view name) const {
    std::vector<const Record*> list;
    for (const Record& record : rig_->out.records)
      if (record.schema->name == name && field<std::uint64_t>(record, "server.port") == own_port())
        list.push_back(&record);
    return list;
  }
  static std::uint64_t count_of(const std::vector<const Record*>& latencies) {
    std::uint64_t sum = 0;
    for (const Record* record : latencies) sum += field<std::uint64_t>(*record, "count");
    return sum;
  }

  std::unique_ptr<Rig> rig_;
};
INSTANTIATE_TEST_SUITE_P(Paths, DnsLatencyOnKernel, kEveryPath, path_name);

std::int64_t bucket(std::chrono::nanoseconds took) {
  return static_cast<std::int64_t>(tapio_dns_bucket(static_cast<std::uint64_t>(took.count())));
}

TEST_P(DnsLatencyOnKernel, counts_for_each_cgroup_what_records_say) {
  watch();
  const TestCgroup some("/some"), others("/others");
  const auto latencies = after([&] {
    some.enter();
    if (!enter_own_network() || !look_up(600)) return 1;
    others.enter();
    return look_up(400) ? 0 : 2;
  });
  std::map<std::uint64_t, Histogram> told;
  for (const Record* query : records("dns.query"))
    told[query->origin.cgroup_id].add(
        field<std::chrono::nanoseconds>(*query, "dns.lookup.duration"));
  ASSERT_EQ(latencies.size(), 2u);
  for (const Record* latency : latencies) {
    const auto cgroup = latency->origin.cgroup_id;
    EXPECT_EQ(field<std::uint64_t>(*latency, "count"), cgroup == some.id() ? 600u : 400u);
    EXPECT_EQ(told[cgroup].count(), cgroup == some.id() ? 600u : 400u);
    EXPECT_TRUE(cgroup == some.id() || cgroup == others.id());
    EXPECT_EQ(field<std::string_view>(*latency, "server.address"), "127.0.0.1");
    for (const auto& [name, part] : {std::pair("dns.latency.p50", 0.5), {"dns.latency.p90", 0.9}}) {
      const auto kernels = field<std::chrono::nanoseconds>(*latency, name);
      EXPECT_LE(std::abs(bucket(kernels) - bucket(told[cgroup].quantile(part))), 1) << name;
    }
  }
}

TEST_P(DnsLatencyOnKernel, goes_on_where_events_are_limited) {
  Config config;
  config.packets_per_second = 1;
  watch(config);
  const auto latencies = after([] { return enter_own_network() && look_up(1'000) ? 0 : 1; });
  EXPECT_EQ(count_of(latencies), 1'000u);
  EXPECT_LT(records("dns.query").size(), 100u);
}

TEST_P(DnsLatencyOnKernel, knows_no_query_without_an_answer_and_of_one_sent_again_the_first_time) {
  watch();
  const auto latencies = after([] {
    if (!enter_own_network()) return 1;
    Udp server("127.0.0.1", own_port()), other("127.0.0.2", own_port()), client("127.0.0.1", 0);
    const auto query = Wire::query(7, "a.example", kA).text();
    const auto answer = Wire::answer(7, "a.example", kA).text();
    const auto asks = [&](const std::string& bytes) {
      return client.send(bytes, "127.0.0.1", own_port()) && server.receive();
    };
    if (!asks(Wire::query(8, "silence.example", kA).text()) || !asks(query)) return 2;
    std::this_thread::sleep_for(20ms);
    if (!asks(query) || !other.answer_to(server, answer) || !server.answer(answer) ||
        !server.answer(answer))
      return 3;
    return 0;
  });
  ASSERT_EQ(latencies.size(), 1u);
  EXPECT_EQ(field<std::uint64_t>(*latencies[0], "count"), 1u);
  EXPECT_EQ(field<std::string_view>(*latencies[0], "server.address"), "127.0.0.1");
  EXPECT_GE(field<std::chrono::nanoseconds>(*latencies[0], "dns.latency.mean"), 20ms);
}

TEST_P(DnsLatencyOnKernel,
       an_answer_that_comes_too_late_is_none_and_an_id_that_comes_again_a_new_one) {
  if (*GetParam()) GTEST_SKIP() << "it takes seconds, and is the same on each path";
  Config config = unlimited();
  config.timeout = 100ms;
  watch(config);
  const auto latencies = after([] {
    if (!enter_own_network()) return 1;
    Udp server("127.0.0.1", own_port()), client("127.0.0.1", 0);
    const auto asks = [&](std::uint16_t id) {
      return client.send(Wire::query(id, "a.example", kA).text(), "127.0.0.1", own_port()) &&
             server.receive();
    };
    if (!asks(7) || !asks(8)) return 2;
    std::this_thread::sleep_for(Exchanges::kGrace + 200ms);
    if (!asks(7)) return 3;
    for (const std::uint16_t id : {7, 8})
      if (!server.answer(Wire::answer(id, "a.example", kA).text())) return 4;
    return 0;
  });
  ASSERT_EQ(latencies.size(), 1u);
  EXPECT_EQ(field<std::uint64_t>(*latencies[0], "count"), 1u);
  EXPECT_LT(field<std::chrono::nanoseconds>(*latencies[0], "dns.latency.mean"), 2s);
}

TEST_P(DnsLatencyOnKernel, counts_once_what_passes_several_devices) {
  if (!has_cables()) GTEST_SKIP() << "this kernel has no veth";
  watch();
  const auto latencies = after([] {
    constexpr CableEnds kEnds{.client = "10.77.2.1", .server = "10.77.2.53"};
    const auto serve = [&](const auto& listens) {
      Udp server(kEnds.server, own_port());
      if (!listens()) return false;
      for (const std::uint16_t id : {1, 2})
        if (!server.receive() || !server.answer(Wire::answer(id, "a.example", kA).text()))
          return false;
      return true;
    };
    return ask_by_cable(kEnds, serve, [&] {
      Udp client(kEnds.client, 0);
      for (const std::uint16_t id : {1, 2})
        if (!client.send(Wire::query(id, "a.example", kA).text(), kEnds.server, own_port()) ||
            !client.receive())
          return false;
      return true;
    });
  });
  EXPECT_EQ(count_of(latencies), 2u);
}

TEST_P(DnsLatencyOnKernel, counts_all_servers_beyond_the_bound_as_one) {
  constexpr int kBeyond = 5;
  watch();
  after([] {
    if (!enter_own_network()) return 1;
    for (int i = 0; i < TAPIO_DNS_LATENCIES + kBeyond; ++i)
      if (!look_up(1, fmt::format("127.0.{}.{}", 1 + i / 250, 1 + i % 250).c_str())) return 2;
    return 0;
  });
  EXPECT_EQ(records("dns.latency").size(), std::size_t{TAPIO_DNS_LATENCIES});
  const auto is_other = [](const Record& record) {
    return record.schema->name == "dns.latency" &&
           field<std::string_view>(record, "server.address") == "other";
  };
  const auto others = std::ranges::find_if(rig_->out.records, is_other);
  ASSERT_NE(others, rig_->out.records.end());
  EXPECT_EQ(field<std::uint64_t>(*others, "count"), std::uint64_t{kBeyond});
}

TEST_P(DnsLatencyOnKernel, costs_no_memory_where_it_is_off) {
  watch();
  const auto with = rig_->programs->map_bytes();
  Config config = unlimited();
  config.latency = false;
  watch(config);
  EXPECT_LT(rig_->programs->map_bytes() + 400'000, with);
  EXPECT_EQ(count_of(after([] { return enter_own_network() && look_up(3) ? 0 : 1; })), 0u);
  EXPECT_EQ(records("dns.query").size(), 3u);
}

TEST_P(DnsLatencyOnKernel, maps_are_read_by_name_and_only_as_what_they_are) {
  using capture::entries;
  using Key = tapio_dns_latency_key;
  using Value = tapio_dns_latency;
  watch();
  after([] { return enter_own_network() && look_up(3) && look_up(3, "127.0.0.2") ? 0 : 1; });
  const auto* map = rig_->programs->map("latency");
  ASSERT_EQ((entries<Key, Value>(map, 1'000).size()), 2u);
  EXPECT_EQ((entries<Key, Value>(map, 1).size()), 1u) << "no more than were asked for";
  EXPECT_EQ((entries<std::uint32_t, Value>(map, 1'000).size()), 0u);
  EXPECT_EQ((entries<Key, std::uint64_t>(map, 1'000).size()), 0u);
  EXPECT_EQ((entries<std::uint32_t, tapio_ledger_row>(rig_->programs->map("ledger"), 1).size()), 0u)
      << "it has a value for each CPU";
  EXPECT_EQ(rig_->programs->map("no such map"), nullptr);
  EXPECT_EQ((entries<Key, Value>(nullptr, 1'000).size()), 0u);
  capture::erase(map, std::uint32_t{0});
  capture::erase(map, entries<Key, Value>(map, 1)[0].first);
  EXPECT_EQ((entries<Key, Value>(map, 1'000).size()), 1u);
}

}  // namespace
}  // namespace tapio::dns
