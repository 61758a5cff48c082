// SPDX-License-Identifier: Apache-2.0
#include "nats_address.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <utility>

#include "base/settings.hpp"

namespace tapio::nats {

namespace {

constexpr std::string_view kPlain = "nats://", kTls = "tls://";
constexpr std::string_view kDefaultPort = "4222";
constexpr std::size_t kMaxHost = 253;  // RFC 1035

bool is_of_a_name(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
         c == '-' || c == '_';
}

bool is_ipv6(const std::string& host) {
  in6_addr address{};
  return ::inet_pton(AF_INET6, host.c_str(), &address) == 1;
}

bool is_port(std::string_view text) {
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  return error == std::errc{} && end == text.data() + text.size() && port != 0;
}

// What is before and behind the colon of the port; a host with colons is in brackets.
std::pair<std::string_view, std::string_view> split(std::string_view text) {
  const auto bracket = text.rfind(']');
  const auto colon = text.find(':', bracket == text.npos ? 0 : bracket);
  if (colon == text.npos) return {text, kDefaultPort};
  return {text.substr(0, colon), text.substr(colon + 1)};
}

}  // namespace

bool Address::is_loopback() const {
  in_addr v4{};
  if (::inet_pton(AF_INET, host.c_str(), &v4) == 1) return ntohl(v4.s_addr) >> 24 == 127;
  return host == "localhost" || host == "::1";
}

std::string Address::text() const {
  const bool brackets = host.contains(':');
  return fmt::format("{}{}{}{}:{}", tls ? kTls : kPlain, brackets ? "[" : "", host,
                     brackets ? "]" : "", port);
}

Result<Address> parse_address(std::string_view url) {
  const auto refuse = [&](std::string_view why) {
    return invalid(
        fmt::format("{} {}; write one like tls://nats.example:4222", config::shown(url), why));
  };
  Address address;
  address.tls = url.starts_with(kTls);
  if (!address.tls && !url.starts_with(kPlain)) return refuse("is no address of a NATS server");
  const auto place = url.substr(address.tls ? kTls.size() : kPlain.size());
  // Not shown: it may hold a password.
  if (place.contains('@'))
    return invalid("a user or password has no place in an address, give auth.user and files");
  auto [host, port] = split(place);
  const bool brackets = host.starts_with('[') && host.ends_with(']');
  if (brackets) host = host.substr(1, host.size() - 2);
  address.host = host;
  address.port = port;
  const bool named =
      !host.empty() && host.size() <= kMaxHost && std::ranges::all_of(host, is_of_a_name);
  if (brackets ? !is_ipv6(address.host) : !named) return refuse("has no name or number of a host");
  if (!is_port(port)) return refuse("has no port from 1 to 65535");
  return address;
}

}  // namespace tapio::nats
