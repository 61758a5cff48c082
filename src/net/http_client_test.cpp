// SPDX-License-Identifier: Apache-2.0
#include "net/http_client.hpp"

#include <gmock/gmock.h>
#include <sys/socket.h>

#include <thread>

#include "http_receiver.hpp"

namespace tapio::net {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

HttpClient client(HttpOptions options = {}) {
  auto made = HttpClient::make(std::move(options));
  if (!made) std::abort();
  return std::move(*made);
}

TEST(HttpClients, send_a_body_with_its_headers_and_give_the_answer) {
  HttpReceiver receiver;
  receiver.answer({.status = 202, .body = "thanks"});
  auto asking = client();
  const std::string body("a\0b", 3);
  const auto answer = asking.post(
      {.url = receiver.url("/v1/x"), .headers = {"Content-Type: text/x", "X-Y: z"}, .body = body},
      {});
  ASSERT_TRUE(answer) << answer.error().what;
  EXPECT_EQ(answer->status, 202u);
  EXPECT_EQ(answer->body, "thanks");
  EXPECT_FALSE(answer->retry_after);
  const auto got = receiver.requests();
  ASSERT_EQ(got.size(), 1u);
  EXPECT_EQ(got[0].path, "/v1/x");
  EXPECT_EQ(got[0].body, body);
  EXPECT_EQ(got[0].headers.at("Content-Type"), "text/x");
  EXPECT_EQ(got[0].headers.at("X-Y"), "z");
}

TEST(HttpClients, take_any_status_for_an_answer_and_follow_no_redirection) {
  HttpReceiver receiver;
  auto asking = client();
  receiver.answer({.status = 503, .retry_after = "7"});
  const auto busy = asking.post({.url = receiver.url(), .headers = {}, .body = "x"}, {});
  ASSERT_TRUE(busy);
  EXPECT_EQ(busy->status, 503u);
  EXPECT_EQ(busy->retry_after, 7s);
  receiver.answer({.status = 307});
  EXPECT_EQ(asking.post({.url = receiver.url(), .headers = {}, .body = "x"}, {})->status, 307u);
  EXPECT_EQ(receiver.requests().size(), 2u);
}

TEST(HttpClients, keep_no_more_of_an_answer_than_they_may) {
  HttpReceiver receiver;
  auto asking = client({.max_answer_bytes = 1000});
  receiver.answer({.body = std::string(1 << 20, 'x')});
  const auto answer = asking.post({.url = receiver.url(), .headers = {}, .body = "x"}, {});
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->body, std::string(1000, 'x'));
  EXPECT_TRUE(asking.post({.url = receiver.url(), .headers = {}, .body = "x"}, {}));
}

TEST(HttpClients, say_so_when_nobody_is_there) {
  std::string url;
  {
    const HttpReceiver gone;
    url = gone.url();
  }
  auto asking = client();
  const auto answer = asking.post({.url = url, .headers = {}, .body = "x"}, {});
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().fault, Fault::unavailable);
  EXPECT_THAT(answer.error().what, HasSubstr("connect"));
}

// Takes connections and never says a word.
class Mute {
 public:
  Mute() : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t bytes = sizeof address;
    auto* generic = static_cast<sockaddr*>(static_cast<void*>(&address));
    EXPECT_EQ(::bind(socket_.get(), generic, bytes), 0);
    EXPECT_EQ(::listen(socket_.get(), 8), 0);
    EXPECT_EQ(::getsockname(socket_.get(), generic, &bytes), 0);
    port_ = ntohs(address.sin_port);
  }
  [[nodiscard]] std::string url() const { return fmt::format("http://127.0.0.1:{}/", port_); }

 private:
  Fd socket_;
  std::uint16_t port_ = 0;
};

TEST(HttpClients, wait_no_longer_than_they_may) {
  const Mute mute;
  auto asking = client({.time = 50ms});
  const auto answer = asking.post({.url = mute.url(), .headers = {}, .body = "x"}, {});
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().fault, Fault::unavailable);
}

TEST(HttpClients, stop_when_they_are_told_to) {
  const Mute mute;
  auto asking = client({.time = 3'600'000ms});
  std::jthread other;
  std::stop_source stop;
  other = std::jthread([&] { stop.request_stop(); });
  const auto answer =
      asking.post({.url = mute.url(), .headers = {}, .body = "x"}, stop.get_token());
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().what, "stopped");
}

TEST(Urls, are_of_http_and_hold_no_password) {
  for (const auto* good :
       {"http://127.0.0.1:4318", "https://collector.example/x", "http://[::1]:1/"})
    EXPECT_TRUE(check_url(good)) << good;
  for (const auto* bad : {"", "127.0.0.1:4318/", "ftp://x/", "file:///etc/passwd", "http://",
                          "http://x:99999/", "http://me:secret@x/"}) {
    const auto refused = check_url(bad);
    ASSERT_FALSE(refused) << bad;
    EXPECT_THAT(refused.error().what, testing::Not(HasSubstr("secret")));
  }
}

}  // namespace
}  // namespace tapio::net
