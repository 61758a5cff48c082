// SPDX-License-Identifier: Apache-2.0
// Against real servers on loopback: what is delivered, and what happens when they fail.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include <array>
#include <atomic>
#include <functional>
#include <future>
#include <iterator>
#include <map>
#include <set>

#include "export/outlet.hpp"
#include "nats_server.hpp"
#include "nats_sink.hpp"
#include "temporary.hpp"

namespace tapio::nats {
namespace {

using namespace std::chrono_literals;
using std::chrono::steady_clock;
using testing::AllOf;
using testing::HasSubstr;
using testing::StartsWith;

constexpr SchemaOf kEvent{"test.some.event", Kind::event, "", Field{"n", Type::u64, ""},
                          Field{"text", Type::text, ""}};
constexpr SchemaOf kStory{"story", Kind::story, "", Field{"rule", Type::text, ""},
                          Field{"revision", Type::u64, ""}};

std::shared_ptr<Batch> batch(std::uint64_t first, std::size_t records,
                             std::string_view text = "x") {
  auto out = std::make_shared<Batch>();
  for (std::size_t i = 0; i < records; ++i) {
    Record record = kEvent({}, first + i, out->arena.keep(text));
    record.id = {.run = 0x10, .number = first + i};
    out->records.push_back(record);
  }
  return out;
}

std::string id_of(std::uint64_t number) {
  return fmt::format("n1/00000010.{}", number);
}

Outlet::Deadline in(std::chrono::milliseconds time) {
  return steady_clock::now() + time;
}

bool soon(const std::function<bool()>& holds, std::chrono::milliseconds patience = 30s) {
  const auto end = in(patience);
  while (!holds() && steady_clock::now() < end) std::this_thread::sleep_for(10ms);
  return holds();
}

// The ids of what is stored, each with how often it is there.
std::map<std::string, int> ids(const std::vector<NatsClient::Message>& all) {
  std::map<std::string, int> out;
  for (const auto& message : all) ++out[message.id];
  return out;
}

void expect_each_once(const std::vector<NatsClient::Message>& stored, std::uint64_t records) {
  const auto all = ids(stored);
  EXPECT_EQ(stored.size(), records);
  std::uint64_t missing = 0;
  for (std::uint64_t i = 0; i < records; ++i) missing += all.contains(id_of(i)) ? 0 : 1;
  EXPECT_EQ(missing, 0u);
}

class NatsSinks : public testing::Test {
 protected:
  void SetUp() override {
    if (!NatsServer::is_there()) GTEST_SKIP() << "no nats-server to test with";
    log::configure(log::Level::error, log::Format::text);
  }
  void TearDown() override { log::configure(log::Level::info, log::Format::text); }

  NatsServer& server(const std::string& more = "") {
    servers_.push_back(std::make_unique<NatsServer>(directory_.file("."), "s1", more));
    return *servers_.back();
  }
  static Config config(const NatsServer& server) {
    return {.enabled = true,
            .servers = {server.url()},
            .node = "n1",
            .stream_create = true,
            .stream_max_bytes = {256 << 20}};
  }
  static std::unique_ptr<NatsSink> open(const Config& config) {
    auto sink = NatsSink::open(config);
    EXPECT_TRUE(sink) << sink.error().what;
    return std::move(*sink);
  }
  static std::vector<NatsClient::Message> stored(const NatsServer& server) {
    return NatsClient(server.port()).stored("TAPIO");
  }
  // Why it is not available.
  static std::string fault(Sink& sink, const Batch& batch) {
    const Status status = sink.write(batch);
    if (status) return "written";
    EXPECT_EQ(status.error().fault, Fault::unavailable);
    return status.error().what;
  }

  Temporary directory_;
  std::vector<std::unique_ptr<NatsServer>> servers_;
};

TEST_F(NatsSinks, publish_each_record_once_under_its_subject_and_id) {
  NatsServer& s = server();
  s.start();
  const auto sink = open(config(s));
  const std::shared_ptr<const Batch> two[] = {batch(0, 3), batch(3, 2)};
  const Status written = sink->write_group(two);
  ASSERT_TRUE(written) << written.error().what;
  const auto all = stored(s);
  ASSERT_EQ(all.size(), 5u);
  for (std::uint64_t i = 0; i < 5; ++i) {
    EXPECT_EQ(all[i].subject, "tapio.n1.test.normal.event.some-event");
    EXPECT_EQ(all[i].id, id_of(i));
    EXPECT_THAT(all[i].text, AllOf(StartsWith(R"({"type":"event","name":"test.some.event")"),
                                   HasSubstr(fmt::format(R"("n":{},)", i))));
  }
}

TEST_F(NatsSinks, store_what_comes_again_once_and_a_story_that_is_told_again_twice) {
  NatsServer& s = server();
  s.start();
  const auto sink = open(config(s));
  ASSERT_TRUE(sink->write(*batch(0, 2)));
  ASSERT_TRUE(open(config(s))->write(*batch(0, 2))) << "as after an answer that was lost";
  for (const std::uint64_t revision : {1, 2, 3}) {
    Batch story;
    story.records.push_back(kStory({}, std::string_view("oom"), revision));
    ASSERT_TRUE(sink->write(story));
  }
  EXPECT_EQ(stored(s).size(), 5u);
}

TEST_F(NatsSinks, say_when_another_node_has_the_same_name) {
  NatsServer& s = server();
  s.start();
  ASSERT_TRUE(open(config(s))->write(*batch(0, 2)));
  log::configure(log::Level::info, log::Format::text);
  testing::internal::CaptureStderr();
  ASSERT_TRUE(open(config(s))->write(*batch(0, 2)));
  EXPECT_THAT(testing::internal::GetCapturedStderr(),
              HasSubstr("does another node have the same name?"));
}

TEST_F(NatsSinks, say_what_to_do_when_no_stream_takes_a_record_and_go_on_when_one_does) {
  NatsServer& s = server();
  s.start();
  Config without = config(s);
  without.stream_create = false;
  const auto sink = open(without);
  EXPECT_THAT(
      fault(*sink, *batch(0, 2)),
      AllOf(HasSubstr("nats stream add TAPIO --subjects 'tapio.>'"), HasSubstr("stream.create")));
  ASSERT_TRUE(open(config(s))->write(*batch(100, 1)));
  EXPECT_TRUE(sink->write(*batch(0, 2)));
  EXPECT_EQ(stored(s).size(), 3u);
}

TEST_F(NatsSinks, leave_a_stream_that_is_there_as_it_is) {
  NatsServer& s = server();
  s.start();
  const std::string theirs =
      R"({"name":"TAPIO","subjects":["tapio.>"],"storage":"file","max_msgs":7})";
  NatsClient(s.port()).request("$JS.API.STREAM.CREATE.TAPIO", theirs);
  ASSERT_TRUE(open(config(s))->write(*batch(0, 9)));
  EXPECT_EQ(stored(s).size(), 7u);
}

TEST_F(NatsSinks, say_that_a_server_has_no_jetstream) {
  NatsServer& s = server("jetstream: disabled");
  s.start();
  EXPECT_THAT(fault(*open(config(s)), *batch(0, 1)), HasSubstr("has no JetStream"));
}

TEST_F(NatsSinks, put_a_gap_in_the_place_of_a_record_that_is_too_large_for_the_server) {
  NatsServer& s = server("max_payload: 4KB");
  s.start();
  auto all = batch(0, 3);
  all->records[1] =
      kEvent({.event_class = TAPIO_CRITICAL}, 1u, all->arena.keep(std::string(9000, 'x')));
  all->records[1].id = {.run = 0x10, .number = 1};
  ASSERT_TRUE(open(config(s))->write(*all));
  const auto kept = stored(s);
  expect_each_once(kept, 3);
  EXPECT_EQ(kept.at(1).subject, "tapio.n1.test.critical.gap.too_large");
  EXPECT_THAT(kept.at(1).text, AllOf(HasSubstr(R"("stage":"sink:nats","reason":"too_large")"),
                                     HasSubstr(R"("count":1)")));
}

TEST_F(NatsSinks, put_a_gap_in_the_place_of_a_record_that_is_too_large_for_the_stream) {
  NatsServer& s = server();
  s.start();
  NatsClient(s.port()).request("$JS.API.STREAM.CREATE.TAPIO",
                               R"({"name":"TAPIO","subjects":["tapio.>"],"max_msg_size":2000})");
  auto all = batch(0, 3);
  all->records[1].values[1] = all->arena.keep(std::string(9000, 'x'));
  ASSERT_TRUE(open(config(s))->write(*all));
  auto kept = stored(s);
  expect_each_once(kept, 3);
  EXPECT_EQ(kept.back().subject, "tapio.n1.test.normal.gap.too_large");
}

TEST_F(NatsSinks, wait_for_a_server_that_is_away_when_they_start) {
  NatsServer& s = server();
  Outlet outlet("nats", open(config(s)));
  for (std::uint64_t i = 0; i < 20; ++i) outlet.offer(batch(i * 10, 10));
  ASSERT_TRUE(soon([&] { return outlet.counts().retries > 1; }));
  EXPECT_EQ(outlet.counts().sent, 0u);
  s.start();
  ASSERT_TRUE(soon([&] { return outlet.counts().sent == 200; }));
  expect_each_once(stored(s), 200);
}

TEST_F(NatsSinks, lose_and_double_nothing_when_the_server_is_killed_again_and_again) {
  NatsServer& s = server();
  s.start();
  constexpr std::uint64_t kBatches = 200, kEach = 50;
  Outlet outlet("nats", open(config(s)), {.queue_bytes = kBatches * batch(0, kEach)->bytes()});
  std::uint64_t next = 0;
  for (int kill = 0; kill < 3; ++kill) {
    const auto sent = outlet.counts().sent;
    for (; next < kBatches * static_cast<std::uint64_t>(kill + 1) / 3; ++next)
      outlet.offer(batch(next * kEach, kEach));
    ASSERT_TRUE(soon([&] { return outlet.counts().sent > sent + 500; }));
    s.stop(SIGKILL);
    s.start();
  }
  for (; next < kBatches; ++next) outlet.offer(batch(next * kEach, kEach));
  ASSERT_TRUE(soon([&] { return outlet.counts().sent == kBatches * kEach; }));
  EXPECT_GT(outlet.counts().retries, 0u);
  expect_each_once(stored(s), kBatches * kEach);
}

TEST_F(NatsSinks, find_that_an_idle_connection_was_closed_and_connect_again_without_a_fault) {
  NatsServer& s = server();
  s.start();
  const auto sink = open(config(s));
  ASSERT_TRUE(sink->write(*batch(0, 1)));
  s.stop();
  s.start();
  const Status status = sink->write(*batch(1, 1));
  EXPECT_TRUE(status) << status.error().what;
  EXPECT_EQ(stored(s).size(), 2u);
}

class CountingSink final : public Sink {
 public:
  explicit CountingSink(std::atomic<std::uint64_t>& count) : count_(count) {}
  Status write(const Batch& batch) override {
    count_ += batch.records.size();
    return {};
  }

 private:
  std::atomic<std::uint64_t>& count_;
};

TEST_F(NatsSinks, neither_block_nor_grow_while_a_server_is_frozen_and_account_for_all) {
  NatsServer& s = server();
  s.start();
  const std::size_t room = 20 * batch(0, 50)->bytes();
  Outlet outlet("nats", open(config(s)), {.queue_bytes = room});
  std::atomic<std::uint64_t> others = 0;
  Outlet other("other", std::make_unique<CountingSink>(others));
  outlet.offer(batch(0, 50));
  ASSERT_TRUE(soon([&] { return outlet.counts().sent == 50; }));
  s.signal(SIGSTOP);
  const auto begin = steady_clock::now();
  for (std::uint64_t i = 1; i < 100; ++i) {
    const auto one = batch(i * 50, 50);
    outlet.offer(one);
    other.offer(one);
  }
  EXPECT_LT(steady_clock::now() - begin, 1s) << "an offer waited for the server";
  ASSERT_TRUE(soon([&] { return others == 99u * 50; }));
  ASSERT_TRUE(soon([&] { return outlet.counts().retries > 0; }));
  auto counts = outlet.counts();
  EXPECT_LE(counts.queued_bytes, room);
  EXPECT_EQ(counts.offered, counts.sent + counts.dropped() + counts.pending);
  EXPECT_GT(counts.dropped(DropReason::queue_full).total(), 0u);
  s.signal(SIGCONT);
  ASSERT_TRUE(soon([&] { return outlet.counts().pending == 0; }));
  counts = outlet.counts();
  EXPECT_EQ(counts.offered, counts.sent + counts.dropped());
  const auto kept = stored(s);
  EXPECT_EQ(kept.size(), counts.sent);
  EXPECT_EQ(ids(kept).size(), kept.size());
}

// Listens on loopback, for servers that no real one would be.
class Listener {
 public:
  Listener() {
    const auto address = loopback(port_);
    EXPECT_EQ(::bind(socket_.get(), generic(address), sizeof address), 0);
    EXPECT_EQ(::listen(socket_.get(), 8), 0);
  }
  [[nodiscard]] std::string url(std::string_view scheme = "nats") const {
    return fmt::format("{}://127.0.0.1:{}", scheme, port_);
  }
  [[nodiscard]] Fd accept() const { return Fd(::accept(socket_.get(), nullptr, nullptr)); }

 private:
  int port_ = free_port();
  Fd socket_{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
};

void tell(const Fd& to, const std::string& text) {
  (void)::send(to.get(), text.data(), text.size(), MSG_NOSIGNAL);
}

const std::string kInfo = R"(INFO {"headers":true,"max_payload":1048576,"tls_available":true})";

// Serves one connection to its end: acknowledges the first so many records. The ids of all that
// came.
std::vector<std::string> acknowledge(const Fd& client, std::size_t first) {
  tell(client, kInfo + "\r\nPONG\r\n");
  std::string text;
  std::vector<std::string> came;
  char part[4096];
  for (ssize_t got; (got = ::recv(client.get(), part, sizeof part, 0)) > 0;) {
    text.append(part, static_cast<std::size_t>(got));
    for (std::size_t at; (at = text.find("HPUB ")) != text.npos;) {
      const auto id = text.find("Nats-Msg-Id: ", at), end = text.find("\r\n", id);
      if (id == text.npos || end == text.npos) break;
      came.push_back(text.substr(id + 13, end - id - 13));
      const auto reply = text.find(' ', at + 5) + 1;
      if (came.size() <= first)
        tell(client, fmt::format("MSG {} 1 22\r\n{{\"stream\":\"T\",\"seq\":1}}\r\n",
                                 text.substr(reply, text.find(' ', reply) - reply)));
      text.erase(0, end);
    }
  }
  return came;
}

TEST_F(NatsSinks, send_again_only_what_was_not_acknowledged) {
  const Listener listener;
  auto sink = open({.servers = {listener.url()}, .node = "n1"});
  auto served = std::async(std::launch::async, [&] {
    std::vector<std::vector<std::string>> came;
    for (const std::size_t first : {6, 100}) came.push_back(acknowledge(listener.accept(), first));
    return came;
  });
  const auto all = batch(0, 10);
  EXPECT_THAT(fault(*sink, *all), HasSubstr("4 of 10 records were not acknowledged"));
  EXPECT_THAT(fault(*sink, *all), HasSubstr("4 of 10"));
  EXPECT_TRUE(sink->write(*all));
  EXPECT_TRUE(sink->write(*batch(10, 1)));
  sink.reset();
  const auto ids_from = [](std::uint64_t first, std::uint64_t end) {
    std::vector<std::string> out;
    for (; first < end; ++first) out.push_back(id_of(first));
    return out;
  };
  auto whole_and_rest = ids_from(0, 10);
  std::ranges::copy(ids_from(6, 10), std::back_inserter(whole_and_rest));
  EXPECT_THAT(served.get(), testing::ElementsAre(whole_and_rest, ids_from(6, 11)));
}

TEST_F(NatsSinks, end_a_write_in_time_however_a_server_fails_to_answer) {
  const auto told_and_silent = [](const std::string& text, const std::string& scheme) {
    const Listener listener;
    const auto sink = open({.servers = {listener.url(scheme)}, .node = "n1"});
    auto writing = std::async(std::launch::async, [&] {
      const auto begin = steady_clock::now();
      const std::string why = fault(*sink, *batch(0, 1000, std::string(1000, 'x')));
      EXPECT_LT(steady_clock::now() - begin, NatsSink::kPatience + 3s) << why;
      return why;
    });
    const Fd accepted = listener.accept();
    tell(accepted, text);
    return writing.get();
  };
  const auto result = [&](const std::string& text, const std::string& scheme = "nats") {
    return std::async(std::launch::async, told_and_silent, text, scheme);
  };
  auto nothing = result(""), half = result(kInfo), greeted = result(kInfo + "\r\n"),
       accepts = result(kInfo + "\r\nPONG\r\n"), tls = result(kInfo + "\r\n", "tls"),
       endless = result(std::string(100'000, 'x')), other = result("HTTP/1.1 400 Bad Request\r\n"),
       early = result(kInfo + "\r\nPONG\r\n", "tls");
  for (auto* silent : {&nothing, &half, &greeted})
    EXPECT_THAT(silent->get(), HasSubstr("did not answer in time"));
  EXPECT_THAT(accepts.get(), HasSubstr("1000 of 1000 records were not acknowledged within 2 s"));
  EXPECT_THAT(tls.get(), HasSubstr("TLS: no answer"));
  EXPECT_THAT(endless.get(), HasSubstr("speaks no NATS"));
  EXPECT_THAT(other.get(), HasSubstr("speaks no NATS"));
  EXPECT_THAT(early.get(), HasSubstr("spoke before TLS"));
}

TEST_F(NatsSinks, end_a_write_in_time_when_a_server_never_stops_to_talk) {
  const Listener listener;
  for (const std::string noise : {"PING\r\n", "MSG other 1 1\r\nx\r\n"}) {
    const auto sink = open({.servers = {listener.url()}, .node = "n1"});
    auto writing = std::async(std::launch::async, [&] { return fault(*sink, *batch(0, 10)); });
    const Fd accepted = listener.accept();
    std::string text = kInfo + "\r\nPONG\r\n";
    const auto begin = steady_clock::now();
    while (writing.wait_for(0s) != std::future_status::ready && steady_clock::now() < begin + 10s) {
      const ssize_t sent =
          ::send(accepted.get(), text.data(), text.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
      if (sent > 0) text.erase(0, static_cast<std::size_t>(sent));
      while (text.size() < 10'000) text += noise;
    }
    EXPECT_LT(steady_clock::now() - begin, NatsSink::kPatience + 3s) << noise;
    EXPECT_THAT(writing.get(),
                testing::AnyOf(HasSubstr("were not acknowledged"), HasSubstr("takes nothing")));
  }
}

TEST_F(NatsSinks, take_the_next_server_when_one_is_away) {
  NatsServer& s = server();
  s.start();
  Config two = config(s);
  two.servers.insert(two.servers.begin(), fmt::format("nats://127.0.0.1:{}", free_port()));
  Outlet outlet("nats", open(two));
  outlet.offer(batch(0, 10));
  EXPECT_TRUE(soon([&] { return outlet.counts().sent == 10; }));
}

// A region of its own: its server is a leaf of another, the hub.
class NatsLeaves : public NatsSinks {
 protected:
  void start(const std::string& more_of_leaf, const std::string& domains = "") {
    const int port = free_port();
    const auto add = [&](const std::string& name, const std::string& more) {
      servers_.push_back(std::make_unique<NatsServer>(directory_.file("."), name, more,
                                                      domains.empty() ? "" : ", domain: " + name));
    };
    add("hub", fmt::format("leafnodes {{ listen: \"127.0.0.1:{}\" }}", port));
    add("leaf", fmt::format("{}\nleafnodes {{ reconnect: 1, remotes: [ {{ url: "
                            "\"nats://127.0.0.1:{}\" }} ] }}",
                            more_of_leaf, port));
    hub().start();
    leaf().start();
  }
  NatsServer& hub() { return *servers_[0]; }
  NatsServer& leaf() { return *servers_[1]; }
};

TEST_F(NatsLeaves, reach_a_stream_of_the_hub_through_a_leaf_that_keeps_nothing) {
  start("jetstream: disabled");
  NatsClient(hub().port())
      .request("$JS.API.STREAM.CREATE.TAPIO", R"({"name":"TAPIO","subjects":["tapio.>"]})");
  Config to_leaf = config(leaf());
  to_leaf.stream_create = false;
  Outlet outlet("nats", open(to_leaf));
  for (std::uint64_t i = 0; i < 10; ++i) outlet.offer(batch(i * 10, 10));
  ASSERT_TRUE(soon([&] { return outlet.counts().sent == 100; }));
  expect_each_once(stored(hub()), 100);
}

TEST_F(NatsLeaves, keep_records_in_their_region_until_the_hub_has_fetched_them) {
  start("", "domains");
  NatsClient(hub().port())
      .request(
          "$JS.API.STREAM.CREATE.FLEET",
          R"({"name":"FLEET","sources":[{"name":"TAPIO","external":{"api":"$JS.leaf.API"}}]})");
  hub().stop();
  Outlet outlet("nats", open(config(leaf())));
  for (std::uint64_t i = 0; i < 10; ++i) outlet.offer(batch(i * 10, 10));
  ASSERT_TRUE(soon([&] { return outlet.counts().sent == 100; }));
  hub().start();
  const auto fetched = [&] {
    const auto info = NatsClient(hub().port()).request("$JS.API.STREAM.INFO.FLEET", "");
    return NatsClient::number_behind(info, "\"messages\":") == 100;
  };
  ASSERT_TRUE(soon(fetched));
  expect_each_once(NatsClient(hub().port()).stored("FLEET"), 100);
}

// Three servers, of which each stream has its leader on one.
class NatsClusters : public NatsSinks {
 protected:
  void SetUp() override {
    NatsSinks::SetUp();
    if (IsSkipped()) return;
    const std::array ports = {free_port(), free_port(), free_port()};
    for (std::size_t i = 0; i < ports.size(); ++i)
      servers_.push_back(std::make_unique<NatsServer>(
          directory_.file("."), name(i),
          fmt::format(
              "cluster {{ name: c, listen: \"127.0.0.1:{}\", routes: [{}] }}", ports[i],
              fmt::format("nats://127.0.0.1:{}", fmt::join(ports, ", nats://127.0.0.1:")))));
    for (const auto& one : servers_) one->start();
  }
  static std::string name(std::size_t i) { return fmt::format("s{}", i + 1); }
  [[nodiscard]] Config config() const {
    Config all = NatsSinks::config(*servers_[0]);
    all.servers = {servers_[0]->url(), servers_[1]->url(), servers_[2]->url()};
    all.stream_replicas = 3;
    return all;
  }
  [[nodiscard]] std::size_t leader() const {
    const auto info = NatsClient(servers_[0]->port()).request("$JS.API.STREAM.INFO.TAPIO", "");
    for (std::size_t i = 0; i < servers_.size(); ++i)
      if (info.contains(fmt::format(R"("leader":"{}")", name(i)))) return i;
    ADD_FAILURE() << "no leader in " << info;
    return 0;
  }
};

TEST_F(NatsClusters, lose_and_double_nothing_when_the_leader_is_killed_in_the_middle) {
  constexpr std::uint64_t kBatches = 300, kEach = 100, kRecords = kBatches * kEach,
                          kUntilKilled = kRecords / 4;
  const std::size_t queued = 100 * batch(0, kEach)->bytes();
  Outlet outlet("nats", open(config()), {.queue_bytes = 2 * queued});
  outlet.offer(batch(0, kEach));
  ASSERT_TRUE(soon([&] { return outlet.counts().sent > 0; })) << "the cluster does not come up";
  const auto begin = steady_clock::now();
  auto killed = begin;
  std::size_t victim = servers_.size();
  for (std::uint64_t i = 1; i < kBatches; ++i) {
    outlet.offer(batch(i * kEach, kEach));
    ASSERT_TRUE(soon([&] { return outlet.counts().queued_bytes < queued; }, 60s));
    if (victim < servers_.size() || outlet.counts().sent < kUntilKilled) continue;
    victim = leader();
    servers_[victim]->stop(SIGKILL);
    killed = steady_clock::now();
  }
  ASSERT_LT(victim, servers_.size()) << "all was sent before the leader was killed";
  ASSERT_TRUE(soon([&] { return outlet.counts().sent == kRecords; }, 60s));
  const auto end = steady_clock::now();
  const auto seconds = [](auto time) { return std::chrono::duration<double>(time).count(); };
  fmt::print(
      "{} records, {:.0f} a second until the leader was killed; all were acknowledged {:.1f} s "
      "after that, with {} retries\n",
      kRecords, static_cast<double>(kUntilKilled) / seconds(killed - begin), seconds(end - killed),
      outlet.counts().retries);
  expect_each_once(stored(*servers_[(victim + 1) % servers_.size()]), kRecords);
}

}  // namespace
}  // namespace tapio::nats
