// SPDX-License-Identifier: Apache-2.0
#include "serve/local_socket.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "record/gap.hpp"
#include "serve/client.hpp"
#include "serve/json.hpp"

namespace tapio::serve {
namespace {

using namespace std::literals;
using testing::HasSubstr;
using testing::StartsWith;

constexpr SchemaOf kTick{"test.tick", Kind::event, "", Field{"text", Type::text, ""}};
constexpr SchemaOf kTock{"test.tock", Kind::event, "", Field{"text", Type::text, ""}};

class FakeAgent final : public Api {
 public:
  std::string status_json() override { return R"({"pid":1})"; }
  std::string stories_json(std::optional<std::chrono::nanoseconds> since) override {
    return fmt::format("[{}]", since ? since->count() : -1);
  }
  std::string reload_json() override { return R"({"kept":false})"; }
};

std::shared_ptr<const Batch> batch(const auto& schema, std::size_t records,
                                   const std::string& text = "x") {
  auto batch = std::make_shared<Batch>();
  const auto kept = batch->arena.keep(text);
  for (std::size_t i = 0; i < records; ++i)
    batch->records.push_back(schema(Origin{.time = MonotonicTime(i)}, kept));
  return batch;
}

std::string next(Stream& stream) {
  while (!stream.ended()) {
    const auto line = stream.next();
    if (!line) return line.error().what;
    if (*line) return std::string(**line);
    pollfd input{stream.socket(), POLLIN, 0};
    if (::poll(&input, 1, 10'000) != 1) return "nothing came";
  }
  return "ended";
}

class Socket : public testing::Test {
 protected:
  Socket() {
    std::string pattern = testing::TempDir() + "/tapioXXXXXX";
    directory_ = ::mkdtemp(pattern.data());
    path_ = directory_ / "run" / "tapio.sock";
  }
  ~Socket() override { std::filesystem::remove_all(directory_); }

  void serve(const Limits& limits = {}) {
    auto opened = LocalSocket::open(path_, agent_, limits);
    ASSERT_TRUE(opened) << opened.error().what;
    server_ = std::move(*opened);
  }
  // Everything that was offered before has been handed out when this returns.
  void settle() { ASSERT_TRUE(ask(path_, {.command = Command::status})); }

  std::string raw(std::string_view bytes) {
    const auto socket = connect_to(path_, 10);
    EXPECT_TRUE(socket);
    (void)!::send(socket->get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    std::string all;
    std::array<char, 4096> part;
    ssize_t got;
    while ((got = ::recv(socket->get(), part.data(), part.size(), 0)) > 0)
      all.append(part.data(), static_cast<std::size_t>(got));
    return all;
  }
  Stream stream(std::vector<std::string> names = {}) {
    auto stream = Stream::open(path_, {.command = Command::stream, .names = std::move(names)});
    EXPECT_TRUE(stream);
    settle();
    return std::move(*stream);
  }

  std::filesystem::path directory_;
  std::string path_;
  FakeAgent agent_;
  std::unique_ptr<LocalSocket> server_;
};

TEST_F(Socket, answers_status_and_stories) {
  serve();
  EXPECT_EQ(ask(path_, {.command = Command::status}), R"({"pid":1})");
  EXPECT_EQ(ask(path_, {.command = Command::reload}), R"({"kept":false})");
  EXPECT_EQ(ask(path_, {.command = Command::stories}), "[-1]");
  EXPECT_EQ(ask(path_, {.command = Command::stories, .since = 10min}), "[600000000000]");
}

TEST_F(Socket, is_for_its_owner_and_the_group_alone) {
  serve();
  struct stat file{};
  ASSERT_EQ(::stat(path_.c_str(), &file), 0);
  EXPECT_EQ(file.st_mode & 07777, find_group(LocalSocket::kGroup) ? 0660u : 0600u);
  ASSERT_EQ(::stat((path_ + ".lock").c_str(), &file), 0);
  EXPECT_EQ(file.st_mode & 07777, 0600u);
}

TEST_F(Socket, says_what_is_wrong_with_a_hostile_request) {
  serve();
  EXPECT_THAT(raw("{}\n"), StartsWith(R"({"error":"a request looks like)"));
  EXPECT_THAT(raw("\n"), StartsWith(R"({"error":"not JSON)"));
  EXPECT_THAT(raw("GET / HTTP/1.1\r\n\r\n"), StartsWith(R"({"error":"not JSON)"));
  EXPECT_THAT(raw(std::string(4000, '[') + "\n"), StartsWith(R"({"error":"not acceptable)"));
  EXPECT_THAT(raw("{\"v\":1,\"command\":\"status\"}\0{}\n"s), HasSubstr("a NUL byte"));
  EXPECT_THAT(raw(std::string(1 << 20, 'x')), HasSubstr("longer than 4096 bytes"));
  EXPECT_THAT(raw(std::string(5000, 'x') + "\n"), HasSubstr("longer than 4096 bytes"));
  settle();
}

TEST_F(Socket, closes_a_client_that_asks_nothing_in_time) {
  serve({.request_time = 20ms});
  const auto socket = connect_to(path_, 10);
  ASSERT_TRUE(socket);
  char byte;
  EXPECT_EQ(::recv(socket->get(), &byte, 1, 0), 0);
}

TEST_F(Socket, answers_a_client_that_sends_byte_by_byte) {
  serve();
  const auto socket = connect_to(path_, 10);
  for (const char c : R"({"v":1,"command":"status"})"s + "\n")
    ASSERT_EQ(::send(socket->get(), &c, 1, 0), 1);
  std::array<char, 64> bytes;
  const auto got = ::recv(socket->get(), bytes.data(), bytes.size(), 0);
  EXPECT_EQ(std::string_view(bytes.data(), static_cast<std::size_t>(got)), "{\"pid\":1}\n");
}

TEST_F(Socket, refuses_one_client_too_many) {
  serve({.clients = 2});
  std::vector<Stream> streams;
  for (int i = 0; i < 2; ++i)
    streams.push_back(std::move(*Stream::open(path_, {.command = Command::stream})));
  const auto third = ask(path_, {.command = Command::status});
  ASSERT_FALSE(third);
  EXPECT_EQ(third.error().fault, Fault::unavailable);
  EXPECT_THAT(third.error().what, HasSubstr("has 2 clients already"));
}

TEST_F(Socket, refuses_an_answer_beyond_the_bound) {
  serve({.answer_bytes = 9});
  EXPECT_TRUE(ask(path_, {.command = Command::status}));
  const auto large = ask(path_, {.command = Command::stories, .since = 1h});
  ASSERT_FALSE(large);
  EXPECT_EQ(large.error().fault, Fault::exhausted);
}

TEST_F(Socket, streams_the_records_that_were_asked_for_and_every_gap) {
  serve();
  auto all = stream();
  auto some = stream({"test.tock"});
  server_->offer(batch(kTick, 1));
  server_->offer(batch(kTock, 1));
  auto gaps = std::make_shared<Batch>();
  gaps->records.push_back(
      kGap(Origin{}, "o"sv, "normal"sv, "kernel"sv, "r"sv, 0ns, 0ns, std::uint64_t{7}));
  server_->offer(gaps);
  EXPECT_THAT(next(all), HasSubstr("test.tick"));
  EXPECT_THAT(next(all), HasSubstr("test.tock"));
  EXPECT_THAT(next(some), HasSubstr("test.tock"));
  EXPECT_THAT(next(some), HasSubstr(R"("count":7)"));
  server_.reset();
  EXPECT_THAT(next(all), HasSubstr(R"("count":7)"));
  EXPECT_EQ(next(all), "ended");
}

TEST_F(Socket, hands_out_what_was_offered_before_it_closes) {
  serve();
  auto lines = stream();
  server_->offer(batch(kTick, 3));
  server_.reset();
  for (int i = 0; i < 3; ++i) EXPECT_THAT(next(lines), HasSubstr("test.tick"));
  EXPECT_EQ(next(lines), "ended");
}

// Lines and gaps together are what was offered, and every line is whole.
void expect_account(Stream& lines, std::uint64_t offered, std::string_view reason) {
  std::uint64_t seen = 0, gaps = 0;
  while (seen < offered) {
    const std::string line = next(lines);
    const auto json = parse_json(line);
    ASSERT_TRUE(json) << line;
    const bool is_gap = (*json)["type"].text() == "gap";
    if (is_gap) {
      EXPECT_EQ((*json)["reason"].text(), reason);
      EXPECT_EQ((*json)["stage"].text(), "stream");
      EXPECT_LE((*json)["from"].text(), (*json)["to"].text());
    }
    gaps += is_gap;
    seen += is_gap ? (*json)["count"].count() : 1;
  }
  EXPECT_EQ(seen, offered);
  EXPECT_GT(gaps, 0u);
}

TEST_F(Socket, tells_a_slow_reader_exactly_what_it_missed) {
  serve({.stream_bytes = 16 << 10});
  auto lines = stream();
  for (int i = 0; i < 20; ++i) server_->offer(batch(kTick, 100, std::string(1000, 'x')));
  settle();
  EXPECT_GT(server_->counts().dropped, 0u);
  expect_account(lines, 2000, "slow_reader");
}

TEST_F(Socket, counts_by_schema_what_found_no_room_in_the_queue) {
  serve({.backlog_bytes = 0});
  auto lines = stream({"test.tick"});
  server_->offer(batch(kTick, 5));
  server_->offer(batch(kTock, 9));
  settle();
  expect_account(lines, 5, "queue_full");
}

TEST_F(Socket, survives_clients_that_go_in_the_middle) {
  serve();
  for (int i = 0; i < 50; ++i) {
    auto gone = Stream::open(path_, {.command = Command::stream});
    ASSERT_TRUE(gone);
    server_->offer(batch(kTick, 10, std::string(1000, 'x')));
  }
  settle();
  settle();
  EXPECT_EQ(server_->counts().streams, 0u);
}

TEST_F(Socket, names_the_agent_that_is_already_there) {
  serve();
  const auto second = LocalSocket::open(path_, agent_);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().fault, Fault::invalid);
  EXPECT_EQ(second.error().what,
            fmt::format("another agent (pid {}) serves {}; stop it, or give --socket", ::getpid(),
                        path_));
  settle();
}

TEST_F(Socket, refuses_a_listener_that_holds_no_lock) {
  serve();
  std::filesystem::remove(path_ + ".lock");
  const auto second = LocalSocket::open(path_, agent_);
  ASSERT_FALSE(second);
  EXPECT_THAT(second.error().what, HasSubstr("another agent (pid "));
}

TEST_F(Socket, replaces_what_a_killed_agent_left) {
  serve();
  const std::string kept = path_ + ".kept";
  std::filesystem::create_hard_link(path_, kept);
  server_.reset();
  EXPECT_FALSE(std::filesystem::exists(path_));
  std::filesystem::rename(kept, path_);
  serve();
  settle();
}

TEST_F(Socket, leaves_alone_what_is_no_socket) {
  std::filesystem::create_directories(directory_ / "run");
  std::ofstream(path_) << "precious";
  const auto opened = LocalSocket::open(path_, agent_);
  ASSERT_FALSE(opened);
  EXPECT_THAT(opened.error().what, HasSubstr("is not a socket"));
  EXPECT_TRUE(std::filesystem::exists(path_));
}

TEST_F(Socket, follows_no_link_to_its_lock) {
  std::filesystem::create_directories(directory_ / "run");
  std::filesystem::create_symlink(directory_ / "victim", path_ + ".lock");
  EXPECT_FALSE(LocalSocket::open(path_, agent_));
  EXPECT_FALSE(std::filesystem::exists(directory_ / "victim"));
}

TEST_F(Socket, refuses_paths_that_no_socket_can_have) {
  EXPECT_THAT(LocalSocket::open(std::string(200, 'x'), agent_).error().what,
              HasSubstr("longer than 107 bytes"));
  EXPECT_FALSE(LocalSocket::open("", agent_));
  EXPECT_FALSE(LocalSocket::open("\0abstract"s, agent_));
  EXPECT_EQ(LocalSocket::open(directory_ / "a/b/c", agent_).error().fault, Fault::invalid);
}

TEST_F(Socket, says_how_to_start_an_agent_where_none_answers) {
  const auto answer = ask(path_, {.command = Command::status});
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().fault, Fault::unavailable);
  EXPECT_THAT(answer.error().what, HasSubstr("no agent answers at"));
}

TEST(Admission, is_for_root_the_own_user_and_the_group) {
  const Peer member{.pid = 1, .uid = 1000, .gid = 1000, .groups = {4, 77}};
  EXPECT_TRUE(is_admitted({.pid = 1, .uid = 0, .gid = 0, .groups = {}}, 500, std::nullopt));
  EXPECT_TRUE(is_admitted(member, 1000, std::nullopt));
  EXPECT_TRUE(is_admitted(member, 0, 77));
  EXPECT_TRUE(is_admitted(member, 0, 1000));
  EXPECT_FALSE(is_admitted(member, 0, 78));
  EXPECT_FALSE(is_admitted(member, 0, std::nullopt));
}

TEST(Admission, lets_members_of_the_group_ask_and_not_change) {
  const Peer member{.pid = 1, .uid = 1000, .gid = 1000, .groups = {77}};
  EXPECT_TRUE(is_admitted(member, 0, 77));
  EXPECT_FALSE(is_owner(member, 0));
  EXPECT_TRUE(is_owner(member, 1000));
  EXPECT_TRUE(is_owner({.pid = 1, .uid = 0, .gid = 0, .groups = {}}, 500));
}

TEST(Admission, knows_the_groups_of_this_process) {
  std::array<int, 2> pair;
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM, 0, pair.data()), 0);
  const Fd one(pair[0]), other(pair[1]);
  const auto peer = peer_of(one.get());
  ASSERT_TRUE(peer);
  EXPECT_EQ(peer->pid, ::getpid());
  EXPECT_EQ(peer->uid, ::geteuid());
  EXPECT_EQ(static_cast<int>(peer->groups.size()), ::getgroups(0, nullptr));
}

}  // namespace
}  // namespace tapio::serve
