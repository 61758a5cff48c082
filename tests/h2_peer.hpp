// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <cstring>
#include <initializer_list>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "base/fd.hpp"

namespace tapio {

// A stream socket with a path that listens.
inline Fd listening(const std::string& path) {
  Fd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un address{.sun_family = AF_UNIX, .sun_path = {}};
  EXPECT_LT(path.size(), sizeof address.sun_path);
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  const auto* generic = static_cast<const sockaddr*>(static_cast<const void*>(&address));
  EXPECT_EQ(::bind(socket.get(), generic, sizeof address), 0);
  EXPECT_EQ(::listen(socket.get(), 8), 0);
  return socket;
}

// What a peer of HTTP/2 (RFC 9113) says, by hand, so that it may be wrong.
namespace h2 {

enum Type : unsigned char { data = 0, headers = 1, reset = 3, settings = 4, continuation = 9 };
enum Flags : unsigned char { none = 0, end_stream = 1, end_headers = 4 };

inline std::string number(std::size_t value, int bytes) {
  std::string text;
  for (int i = bytes - 1; i >= 0; --i) text += static_cast<char>(value >> (8 * i) & 0xff);
  return text;
}

// On stream 0 or, as answers are, on the one that the request came on.
inline std::string frame(Type type, int flags, std::string_view payload, unsigned stream) {
  return number(payload.size(), 3) + static_cast<char>(type) + static_cast<char>(flags) +
         number(stream, 4) + std::string(payload);
}

// Literals without Huffman coding; a text of more than 126 bytes has a length of two.
inline std::string hpack(std::string_view text) {
  if (text.size() < 127) return number(text.size(), 1) + std::string(text);
  std::string bytes = "\x7f";
  std::size_t rest = text.size() - 127;
  for (; rest > 127; rest >>= 7) bytes += static_cast<char>(0x80 | (rest & 0x7f));
  return bytes + static_cast<char>(rest) + std::string(text);
}
using Fields = std::vector<std::pair<std::string, std::string>>;
inline std::string block(const Fields& fields) {
  std::string bytes;
  for (const auto& [name, value] : fields)
    bytes += std::string(1, '\0') + hpack(name) + hpack(value);
  return bytes;
}

// A message of gRPC.
inline std::string message(std::string_view bytes, char compressed = 0) {
  return std::string(1, compressed) + number(bytes.size(), 4) + std::string(bytes);
}

}  // namespace h2

// Answers each request with the next of what it was told, and with the last for ever. Frames in it
// have stream kItsStream where the request's own is to be.
class H2Peer {
 public:
  static constexpr unsigned kItsStream = 0x7a7b7c7d;  // in no text of a test

  H2Peer(const std::string& path, std::vector<std::string> answers)
      : answers_(std::move(answers)),
        socket_(listening(path)),
        thread_([this](const std::stop_token& stop) { serve(stop); }) {}
  ~H2Peer() {
    thread_.request_stop();
    ::shutdown(socket_.get(), SHUT_RDWR);
    const std::scoped_lock lock(mutex_);
    if (peer_ >= 0) ::shutdown(peer_, SHUT_RDWR);
  }
  H2Peer(const H2Peer&) = delete;
  H2Peer& operator=(const H2Peer&) = delete;

 private:
  void serve(const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      const Fd peer(::accept4(socket_.get(), nullptr, nullptr, SOCK_CLOEXEC));
      if (!peer) return;
      const auto keep = [&](int fd) {
        const std::scoped_lock lock(mutex_);
        peer_ = fd;
      };
      keep(peer.get());
      talk(peer.get(), stop);
      keep(-1);
    }
  }

  bool read(int fd, std::string& bytes, std::size_t count) {
    bytes.resize(count);
    for (std::size_t got = 0; got < count;) {
      const auto n = ::recv(fd, bytes.data() + got, count - got, 0);
      if (n <= 0) return false;
      got += static_cast<std::size_t>(n);
    }
    return true;
  }

  void talk(int fd, const std::stop_token& stop) {
    constexpr std::size_t kPreface = 24, kHead = 9;
    std::string bytes;
    if (!read(fd, bytes, kPreface)) return;
    say(fd, h2::frame(h2::settings, 0, "", 0));
    while (!stop.stop_requested() && read(fd, bytes, kHead)) {
      const std::string head = bytes;
      const auto length = static_cast<std::size_t>(static_cast<unsigned char>(head[0])) << 16 |
                          static_cast<std::size_t>(static_cast<unsigned char>(head[1])) << 8 |
                          static_cast<unsigned char>(head[2]);
      if (!read(fd, bytes, length)) return;
      if (head[3] == h2::settings && head[4] == 0) say(fd, h2::frame(h2::settings, 1, "", 0));
      const bool is_request = head[3] == h2::headers || head[3] == h2::data;
      if (is_request && (head[4] & h2::end_stream) != 0) answer(fd, head.substr(5, 4));
    }
  }

  void answer(int fd, const std::string& stream) {
    std::string bytes = answers_.at(std::min(next_++, answers_.size() - 1));
    const std::string marker = h2::number(kItsStream, 4);
    for (auto at = bytes.find(marker); at != bytes.npos; at = bytes.find(marker, at))
      bytes.replace(at, 4, stream);
    say(fd, bytes);
  }

  static void say(int fd, std::string_view bytes) {
    while (!bytes.empty()) {
      const auto n = ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (n <= 0) return;
      bytes.remove_prefix(static_cast<std::size_t>(n));
    }
  }

  std::vector<std::string> answers_;
  std::size_t next_ = 0;
  Fd socket_;
  std::mutex mutex_;
  int peer_ = -1;
  std::jthread thread_;  // uses the rest
};

// A whole answer of gRPC.
inline std::string grpc_answer(std::string_view message,
                               const h2::Fields& trailers = {{"grpc-status", "0"}}) {
  using namespace h2;
  const Fields head = {{":status", "200"}, {"content-type", "application/grpc"}};
  return frame(headers, end_headers, block(head), H2Peer::kItsStream) +
         frame(data, none, h2::message(message), H2Peer::kItsStream) +
         frame(headers, end_headers | end_stream, block(trailers), H2Peer::kItsStream);
}

// One without a message, as failures are.
inline std::string grpc_failure(const std::string& status, const std::string& reason) {
  using namespace h2;
  return frame(headers, end_headers | end_stream,
               block({{":status", "200"},
                      {"content-type", "application/grpc"},
                      {"grpc-status", status},
                      {"grpc-message", reason}}),
               H2Peer::kItsStream);
}

}  // namespace tapio
