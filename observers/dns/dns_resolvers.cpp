// SPDX-License-Identifier: Apache-2.0
#include "dns_resolvers.hpp"

#include <arpa/inet.h>

#include <algorithm>

namespace tapio::dns {

namespace {

constexpr std::size_t kMaxName = 253;  // of a host, as text

char small(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

std::string in_small_letters(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), small);
  return out;
}

bool is_of_host(char c) {
  const char s = small(c);
  return (s >= 'a' && s <= 'z') || (s >= '0' && s <= '9') || s == '-' || s == '_' || s == '.';
}

}  // namespace

Resolvers::Resolvers(std::span<const std::string> own) {
  for (const std::string_view entry : kPublicResolvers) add(entry);
  for (const std::string& entry : own) add(entry);
}

void Resolvers::add(std::string_view entry) {
  if (const auto address = address_of(entry))
    addresses_.insert(*address);
  else
    names_.insert(in_small_letters(entry));
}

std::optional<Resolvers::Address> Resolvers::address_of(std::string_view text) {
  const std::string terminated(text);
  Address address{4, {}};
  if (::inet_pton(AF_INET, terminated.c_str(), address.second.data()) == 1) return address;
  address.first = 6;
  if (::inet_pton(AF_INET6, terminated.c_str(), address.second.data()) == 1) return address;
  return {};
}

bool Resolvers::is_valid(std::string_view entry) {
  return address_of(entry) || (!entry.empty() && entry.size() <= kMaxName &&
                               !entry.starts_with('.') && std::ranges::all_of(entry, is_of_host));
}

bool Resolvers::knows_name(std::string_view name) const {
  const std::string text = in_small_letters(name);
  for (std::string_view rest = text; !rest.empty();) {
    if (names_.contains(std::string(rest))) return true;
    const auto dot = rest.find('.');
    rest.remove_prefix(dot == rest.npos ? rest.size() : dot + 1);
  }
  return false;
}

bool Resolvers::knows_address(const Endpoint& server, std::uint8_t ip_version) const {
  return addresses_.contains({ip_version, server.address});
}

}  // namespace tapio::dns
