// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <sys/wait.h>

#include <cstring>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "dns_loopback.hpp"

namespace tapio::dns {

// A request to the kernel's routing, with attributes in attributes.
class LinkRequest {
 public:
  LinkRequest() {
    nlmsghdr head{};
    head.nlmsg_type = RTM_NEWLINK;
    head.nlmsg_flags = NLM_F_REQUEST | NLM_F_CREATE | NLM_F_EXCL | NLM_F_ACK;
    add(head);
    add(ifinfomsg{});
  }
  template <typename T>
  void add(const T& value) {
    const auto at = bytes_.size();
    bytes_.resize(at + NLMSG_ALIGN(sizeof value));
    std::memcpy(bytes_.data() + at, &value, sizeof value);
  }
  void text(std::uint16_t type, std::string_view value) {
    const auto at = open(type);
    bytes_.insert(bytes_.end(), value.begin(), value.end());
    bytes_.push_back('\0');
    close(at);
  }
  void number(std::uint16_t type, std::uint32_t value) {
    const auto at = open(type);
    add(value);
    close(at);
  }
  std::size_t open(std::uint16_t type) {
    const auto at = bytes_.size();
    add(rtattr{.rta_len = 0, .rta_type = type});
    return at;
  }
  void close(std::size_t at) {
    const auto length = static_cast<std::uint16_t>(bytes_.size() - at);
    std::memcpy(bytes_.data() + at, &length, sizeof length);
    bytes_.resize(RTA_ALIGN(bytes_.size()));
  }
  bool send() {
    const auto length = static_cast<std::uint32_t>(bytes_.size());
    std::memcpy(bytes_.data(), &length, sizeof length);
    const Fd routing(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE));
    if (::send(routing.get(), bytes_.data(), bytes_.size(), 0) < 0) return false;
    struct {
      nlmsghdr head;
      nlmsgerr error;
    } answer{};
    return ::recv(routing.get(), &answer, sizeof answer, 0) >= NLMSG_HDRLEN + 4 &&
           answer.error.error == 0;
  }

 private:
  std::vector<char> bytes_;
};

// A virtual cable from here to the network of another process.
inline bool lay_cable(std::string_view here, std::string_view there, pid_t other) {
  LinkRequest request;
  request.text(IFLA_IFNAME, here);
  const auto info = request.open(IFLA_LINKINFO);
  request.text(IFLA_INFO_KIND, "veth");
  const auto data = request.open(IFLA_INFO_DATA);
  const auto peer = request.open(VETH_INFO_PEER);
  request.add(ifinfomsg{});
  request.text(IFLA_IFNAME, there);
  request.number(IFLA_NET_NS_PID, static_cast<std::uint32_t>(other));
  request.close(peer);
  request.close(data);
  request.close(info);
  return request.send();
}

// Whether this kernel can: it may be without the module.
inline bool has_cables() {
  const pid_t pid = ::fork();
  if (pid == 0) ::_exit(enter_own_network() && lay_cable("one", "two", ::getpid()) ? 0 : 1);
  int status = 0;
  return ::waitpid(pid, &status, 0) == pid && status == 0;
}

// Gives a device its IPv4 address, in a network of 256, and switches it on.
inline bool set_up(const char* device, const char* address) {
  const Fd any(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  ifreq request{};
  std::strncpy(request.ifr_name, device, sizeof request.ifr_name - 1);
  const auto set = [&](unsigned long what, const char* value) {
    sockaddr_in v4{.sin_family = AF_INET};
    ::inet_pton(AF_INET, value, &v4.sin_addr);
    std::memcpy(&request.ifr_addr, &v4, sizeof v4);
    return ::ioctl(any.get(), what, &request) == 0;
  };
  if (!set(SIOCSIFADDR, address) || !set(SIOCSIFNETMASK, "255.255.255.0")) return false;
  request.ifr_flags = IFF_UP | IFF_RUNNING;
  return ::ioctl(any.get(), SIOCSIFFLAGS, &request) == 0;
}

// The ends of a cable that ask_by_cable() lays, in two networks. The device of the client is
// "asks".
struct CableEnds {
  const char *client, *server;
};

// At the far end, in a child: listens, says that it does, and answers.
using Serve = std::function<bool(const std::function<bool()>& listens)>;

// What the two say to one another: that they have come so far.
class Turns {
 public:
  explicit Turns(const int (&ends)[2]) : hears_(ends[0]), says_(ends[1]) {}
  [[nodiscard]] bool say() const { return ::write(says_.get(), "!", 1) == 1; }
  [[nodiscard]] bool hear() const {
    char byte = 0;
    return ::read(hears_.get(), &byte, 1) == 1;
  }
  void only_hear() { says_ = Fd(); }  // so that the other's end is heard

 private:
  Fd hears_, says_;
};

// 0: `ask`, in a network of its own, and `serve`, in another one, both said that it went well. For
// a child that the test made. The first packet has to wait for the server's hardware address.
inline int ask_by_cable(const CableEnds& ends, const Serve& serve,
                        const std::function<bool()>& ask) {
  int there[2], here[2];
  if (!enter_own_network() || ::pipe(there) || ::pipe(here)) return 1;
  Turns from_server(there);
  const Turns from_client(here);
  const pid_t other = ::fork();
  if (other == 0)
    ::_exit(enter_own_network() && from_server.say() && from_client.hear() &&
                    set_up("answers", ends.server) && serve([&] { return from_server.say(); })
                ? 0
                : 1);
  from_server.only_hear();
  if (!from_server.hear() || !lay_cable("asks", "answers", other) || !set_up("asks", ends.client) ||
      !from_client.say() || !from_server.hear())
    return 2;
  if (!ask()) return 3;
  int status = 0;
  return ::waitpid(other, &status, 0) == other && status == 0 ? 0 : 4;
}

}  // namespace tapio::dns
