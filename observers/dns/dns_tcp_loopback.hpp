// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/uio.h>

#include <string>
#include <string_view>

#include "dns_loopback.hpp"
#include "dns_messages.hpp"

namespace tapio::dns {

inline sockaddr_storage tcp_endpoint(const char* address, std::uint16_t port) {
  sockaddr_storage storage{};
  if (!std::strchr(address, ':')) {
    sockaddr_in v4{.sin_family = AF_INET, .sin_port = ::htons(port)};
    ::inet_pton(AF_INET, address, &v4.sin_addr);
    std::memcpy(&storage, &v4, sizeof v4);
  } else {
    sockaddr_in6 v6{.sin6_family = AF_INET6, .sin6_port = ::htons(port)};
    ::inet_pton(AF_INET6, address, &v6.sin6_addr);
    std::memcpy(&storage, &v6, sizeof v6);
  }
  return storage;
}

// One end of a connection; whatever waits on it gives up after a second. What is sent goes out at
// once, in segments as it was given.
class Tcp {
 public:
  explicit Tcp(int fd) : fd_(fd) {
    const timeval second{.tv_sec = 1, .tv_usec = 0};
    const int on = 1;
    ::setsockopt(fd_.get(), SOL_SOCKET, SO_RCVTIMEO, &second, sizeof second);
    ::setsockopt(fd_.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  }
  static Tcp to(const char* address, std::uint16_t port) {
    const auto there = tcp_endpoint(address, port);
    Tcp client(::socket(there.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const void* any = &there;
    if (::connect(client.fd_.get(), static_cast<const sockaddr*>(any), sizeof there))
      client.fd_ = Fd();
    return client;
  }
  explicit operator bool() const { return static_cast<bool>(fd_); }
  [[nodiscard]] bool send(std::string_view bytes) const {
    return ::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL) ==
           static_cast<ssize_t>(bytes.size());
  }
  // Exactly so many bytes, as they come.
  [[nodiscard]] bool receive(std::size_t size) const {
    std::string bytes(size, '\0');
    for (std::size_t got = 0; got < size;) {
      const auto now = ::recv(fd_.get(), bytes.data() + got, size - got, 0);
      if (now <= 0) return false;
      got += static_cast<std::size_t>(now);
    }
    return true;
  }
  // The first bytes from a buffer of their own, and the rest from another, in one call.
  [[nodiscard]] bool send_in_two(std::string bytes, std::size_t first) const {
    const iovec parts[] = {{bytes.data(), first}, {bytes.data() + first, bytes.size() - first}};
    return ::writev(fd_.get(), parts, 2) == static_cast<ssize_t>(bytes.size());
  }
  [[nodiscard]] bool receive_in_two(std::size_t size, std::size_t first) const {
    std::string bytes(size, '\0');
    const iovec parts[] = {{bytes.data(), first}, {bytes.data() + first, size - first}};
    return ::readv(fd_.get(), parts, 2) == static_cast<ssize_t>(size);
  }

 private:
  Fd fd_;
};

class TcpServer {
 public:
  TcpServer(const char* address, std::uint16_t port)
      : fd_(::socket(tcp_endpoint(address, port).ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    const auto own = tcp_endpoint(address, port);
    const void* any = &own;
    const int on = 1;
    ::setsockopt(fd_.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    listens_ = ::bind(fd_.get(), static_cast<const sockaddr*>(any), sizeof own) == 0 &&
               ::listen(fd_.get(), 16) == 0;
  }
  [[nodiscard]] bool listens() const { return listens_; }
  [[nodiscard]] Tcp accept() const {
    return Tcp(::accept4(fd_.get(), nullptr, nullptr, SOCK_CLOEXEC));
  }

 private:
  Fd fd_;
  bool listens_ = false;
};

// One question and its answer over a connection between two ends in this process.
inline bool exchange(const Tcp& client, const Tcp& server, const std::string& query,
                     const std::string& answer) {
  return client.send(framed(query)) && server.receive(query.size() + 2) &&
         server.send(framed(answer)) && client.receive(answer.size() + 2);
}

}  // namespace tapio::dns
