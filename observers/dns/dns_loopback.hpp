// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <arpa/inet.h>
#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <string>

#include "base/fd.hpp"

namespace tapio::dns {

// A network of one's own, with a loopback device that is up: nothing else can be reached from it.
inline bool enter_own_network() {
  if (::unshare(CLONE_NEWNET)) return false;
  const Fd any(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  ifreq lo{};
  std::strcpy(lo.ifr_name, "lo");
  lo.ifr_flags = IFF_UP | IFF_RUNNING;
  return ::ioctl(any.get(), SIOCSIFFLAGS, &lo) == 0;
}

// Nobody else asks there.
inline std::uint16_t own_port() {
  static const auto port = static_cast<std::uint16_t>(10'000 + ::getpid() % 20'000);
  return port;
}

// A UDP socket of IPv4 or IPv6; whatever waits on it gives up after ten seconds.
class Udp {
 public:
  // Port 0: any.
  Udp(const char* address, std::uint16_t port)
      : fd_(::socket(family(address), SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
    const timeval patience{.tv_sec = 10, .tv_usec = 0};
    ::setsockopt(fd_.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    const auto own = endpoint(address, port);
    bound_ = ::bind(fd_.get(), generic(own), size(own)) == 0;
  }
  [[nodiscard]] bool bound() const { return bound_; }
  [[nodiscard]] bool send(const std::string& bytes, const char* address, std::uint16_t port) const {
    const auto to = endpoint(address, port);
    return ::sendto(fd_.get(), bytes.data(), bytes.size(), 0, generic(to), size(to)) ==
           static_cast<ssize_t>(bytes.size());
  }
  // Takes one datagram; who sent it is answered next.
  [[nodiscard]] bool receive() {
    std::array<char, 4096> bytes{};
    socklen_t length = sizeof from_;
    void* from = &from_;
    const auto size =
        ::recvfrom(fd_.get(), bytes.data(), bytes.size(), 0, static_cast<sockaddr*>(from), &length);
    received_.assign(bytes.data(), static_cast<std::size_t>(std::max<ssize_t>(size, 0)));
    return size >= 0;
  }
  [[nodiscard]] const std::string& received() const { return received_; }
  [[nodiscard]] bool answer(const std::string& bytes) const { return answer_to(*this, bytes); }
  // To whom `other` got its datagram from.
  [[nodiscard]] bool answer_to(const Udp& other, const std::string& bytes) const {
    return ::sendto(fd_.get(), bytes.data(), bytes.size(), 0, generic(other.from_),
                    size(other.from_)) == static_cast<ssize_t>(bytes.size());
  }

 private:
  static int family(const char* address) { return std::strchr(address, ':') ? AF_INET6 : AF_INET; }
  static sockaddr_storage endpoint(const char* address, std::uint16_t port) {
    sockaddr_storage storage{};
    if (family(address) == AF_INET) {
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
  static const sockaddr* generic(const sockaddr_storage& storage) {
    const void* any = &storage;
    return static_cast<const sockaddr*>(any);
  }
  static socklen_t size(const sockaddr_storage& storage) {
    return storage.ss_family == AF_INET ? sizeof(sockaddr_in) : sizeof(sockaddr_in6);
  }

  Fd fd_;
  sockaddr_storage from_{};
  std::string received_;
  bool bound_ = false;
};

// One question and its answer, between two sockets of this process.
inline bool exchange(Udp& server, Udp& client, const char* address, std::uint16_t port,
                     const std::string& query, const std::string& answer) {
  return client.send(query, address, port) && server.receive() && server.answer(answer) &&
         client.receive();
}

}  // namespace tapio::dns
