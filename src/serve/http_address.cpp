// SPDX-License-Identifier: Apache-2.0
#include "serve/http_address.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <optional>

#include "base/settings.hpp"

namespace tapio::serve {

namespace {

constexpr int kBacklog = 1024;  // beyond it who connects waits a second, and longer

std::optional<std::uint16_t> port_of(std::string_view text) {
  std::uint16_t port = 0;
  const char* end = text.data() + text.size();
  const auto [rest, wrong] = std::from_chars(text.data(), end, port);
  if (wrong != std::errc() || rest != end) return std::nullopt;
  return port;
}

// The calls want a sockaddr, which no pointer to a sockaddr_storage converts to without a cast.
const sockaddr* generic(const sockaddr_storage& storage) {
  return static_cast<const sockaddr*>(static_cast<const void*>(&storage));
}
sockaddr* generic(sockaddr_storage& storage) {
  return static_cast<sockaddr*>(static_cast<void*>(&storage));
}

template <typename T>
Address address_from(const T& socket_address, bool loopback) {
  Address address{.bytes = sizeof socket_address, .loopback = loopback};
  std::memcpy(&address.storage, &socket_address, sizeof socket_address);
  return address;
}

std::optional<Address> parse_v4(const std::string& host, std::uint16_t port) {
  sockaddr_in v4{.sin_family = AF_INET, .sin_port = htons(port)};
  if (::inet_pton(AF_INET, host.c_str(), &v4.sin_addr) != 1) return std::nullopt;
  return address_from(v4, (ntohl(v4.sin_addr.s_addr) >> 24) == IN_LOOPBACKNET);
}

std::optional<Address> parse_v6(const std::string& host, std::uint16_t port) {
  sockaddr_in6 v6{.sin6_family = AF_INET6, .sin6_port = htons(port)};
  if (::inet_pton(AF_INET6, host.c_str(), &v6.sin6_addr) != 1) return std::nullopt;
  const bool mapped =
      IN6_IS_ADDR_V4MAPPED(&v6.sin6_addr) && v6.sin6_addr.s6_addr[12] == IN_LOOPBACKNET;
  return address_from(v6, IN6_IS_ADDR_LOOPBACK(&v6.sin6_addr) || mapped);
}

bool is_bracketed(std::string_view host) {
  return host.size() > 2 && host.front() == '[' && host.back() == ']';
}

std::optional<Address> parse_host(std::string_view host, std::uint16_t port) {
  if (is_bracketed(host)) return parse_v6(std::string(host.substr(1, host.size() - 2)), port);
  return parse_v4(std::string(host), port);
}

}  // namespace

Result<Address> parse_address(std::string_view text) {
  const auto colon = text.rfind(':');
  if (colon != std::string_view::npos)
    if (const auto port = port_of(text.substr(colon + 1)))
      if (const auto address = parse_host(text.substr(0, colon), *port)) return *address;
  return invalid(
      fmt::format("{} is no address and port, give them like 127.0.0.1:7170 or "
                  "[::1]:7170",
                  config::shown(text)));
}

Result<Fd> listen_on(const Address& address) {
  const int family = address.storage.ss_family;
  Fd socket(::socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket) return from_errno(errno, "make a socket");
  const int yes = 1;
  ::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  if (::bind(socket.get(), generic(address.storage), address.bytes) != 0)
    return from_errno(errno, "take the address");
  if (::listen(socket.get(), kBacklog) != 0) return from_errno(errno, "listen");
  return socket;
}

std::string address_of(int socket) {
  sockaddr_storage storage{};
  socklen_t bytes = sizeof storage;
  if (::getsockname(socket, generic(storage), &bytes) != 0) return {};
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (storage.ss_family == AF_INET) {
    sockaddr_in address{};
    std::memcpy(&address, &storage, sizeof address);
    ::inet_ntop(AF_INET, &address.sin_addr, text.data(), text.size());
    return fmt::format("{}:{}", text.data(), ntohs(address.sin_port));
  }
  sockaddr_in6 address{};
  std::memcpy(&address, &storage, sizeof address);
  ::inet_ntop(AF_INET6, &address.sin6_addr, text.data(), text.size());
  return fmt::format("[{}]:{}", text.data(), ntohs(address.sin6_port));
}

bool is_plain_host(std::string_view host) {
  const auto colon = host.rfind(':');
  const auto bracket = host.rfind(']');
  const bool has_port =
      colon != std::string_view::npos && (bracket == std::string_view::npos || bracket < colon);
  if (has_port && !port_of(host.substr(colon + 1))) return false;
  const auto name = has_port ? host.substr(0, colon) : host;
  return name == "localhost" || parse_host(name, 0).has_value();
}

}  // namespace tapio::serve
