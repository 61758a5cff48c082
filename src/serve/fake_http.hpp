// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <string>
#include <string_view>

#include "base/fd.hpp"
#include "serve/http_address.hpp"
#include "serve/http_server.hpp"

// For tests: both sides of the HTTP server.
namespace tapio::serve {

inline constexpr SchemaOf kTick{"test.tick", Kind::event, "It ticks.",
                                Field{"text", Type::text, ""}};
inline constexpr SchemaOf kTock{"test.tock", Kind::finding, "", Field{"text", Type::text, ""}};

class FakeAgent final : public HttpApi {
 public:
  std::string status_json() override { return ++asked, R"({"version":"9","pid":1})"; }
  std::string stories_json(std::optional<std::chrono::nanoseconds>) override { return "[]"; }
  std::string reload_json() override { return "{}"; }
  std::vector<StoryText> told_stories() override {
    std::vector<StoryText> list;
    for (std::uint64_t i = 1; i <= 5; ++i)
      list.push_back(
          {{1, i}, monotonic_now() - std::chrono::hours(6 - i), fmt::format(R"({{"n":{}}})", i)});
    return list;
  }
  Health health() override { return now; }
  std::vector<const Schema*> schemas() override { return {&kTick, &kTock}; }
  std::string processes_json() override { return ++listed, R"({"processes":[]})"; }
  std::string_view kernels_json() override { return R"({"kernels":[]})"; }

  Health now;
  std::atomic<int> asked = 0, listed = 0;
};

// A client that says what it is told to.
class Caller {
 public:
  explicit Caller(const std::string& address) {
    const auto to = parse_address(address).value();
    socket_ = Fd(::socket(to.storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const timeval patience{.tv_sec = 10};
    ::setsockopt(socket_.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    const auto* generic = static_cast<const sockaddr*>(static_cast<const void*>(&to.storage));
    if (::connect(socket_.get(), generic, to.bytes) != 0) std::abort();
  }
  Caller& say(std::string_view bytes) {
    (void)!::send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    return *this;
  }
  // Says no more.
  Caller& finish() { return ::shutdown(socket_.get(), SHUT_WR), *this; }
  // Until it has this, or the other side is done.
  std::string hear(std::string_view until = "\xff") {
    std::array<char, 4096> part;
    ssize_t got = 1;
    while (!heard_.contains(until) &&
           (got = ::recv(socket_.get(), part.data(), part.size(), 0)) > 0)
      heard_.append(part.data(), static_cast<std::size_t>(got));
    if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) heard_ += "<nothing came>";
    return heard_;
  }

 private:
  Fd socket_;
  std::string heard_;
};

}  // namespace tapio::serve
