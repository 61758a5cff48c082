// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <unordered_set>

#include "dns_datagram.hpp"

namespace tapio::dns {

// Public name servers that answer over TLS, HTTPS or QUIC, as far as we know them: nobody was
// asked, and operators change theirs. A name stands for itself and for what is below it. Addresses
// are those of name servers alone: one of a content network says nothing.
inline constexpr std::string_view kPublicResolvers[] = {
    // Google
    "dns.google",
    "dns.google.com",
    "8888.google",
    "8.8.8.8",
    "8.8.4.4",
    "2001:4860:4860::8888",
    "2001:4860:4860::8844",
    "2001:4860:4860::64",
    "2001:4860:4860::6464",
    // Cloudflare; those of browsers are below the first name
    "cloudflare-dns.com",
    "one.one.one.one",
    "cloudflare-gateway.com",
    "1.1.1.1",
    "1.0.0.1",
    "1.1.1.2",
    "1.0.0.2",
    "1.1.1.3",
    "1.0.0.3",
    "2606:4700:4700::1111",
    "2606:4700:4700::1001",
    "2606:4700:4700::1112",
    "2606:4700:4700::1002",
    "2606:4700:4700::1113",
    "2606:4700:4700::1003",
    // Quad9
    "dns.quad9.net",
    "dns9.quad9.net",
    "dns10.quad9.net",
    "dns11.quad9.net",
    "dns12.quad9.net",
    "9.9.9.9",
    "149.112.112.112",
    "9.9.9.10",
    "149.112.112.10",
    "9.9.9.11",
    "149.112.112.11",
    "2620:fe::fe",
    "2620:fe::9",
    "2620:fe::10",
    "2620:fe::fe:10",
    "2620:fe::11",
    "2620:fe::fe:11",
    // OpenDNS and Umbrella
    "dns.opendns.com",
    "doh.opendns.com",
    "doh.familyshield.opendns.com",
    "dns.umbrella.com",
    "doh.umbrella.com",
    "208.67.222.222",
    "208.67.220.220",
    "208.67.222.123",
    "208.67.220.123",
    "2620:119:35::35",
    "2620:119:53::53",
    // AdGuard
    "dns.adguard-dns.com",
    "family.adguard-dns.com",
    "unfiltered.adguard-dns.com",
    "d.adguard-dns.com",
    "dns.adguard.com",
    "dns-family.adguard.com",
    "dns-unfiltered.adguard.com",
    "94.140.14.14",
    "94.140.15.15",
    "94.140.14.15",
    "94.140.15.16",
    "94.140.14.140",
    "94.140.14.141",
    "2a10:50c0::ad1:ff",
    "2a10:50c0::ad2:ff",
    "2a10:50c0::bad1:ff",
    "2a10:50c0::bad2:ff",
    "2a10:50c0::1:ff",
    "2a10:50c0::2:ff",
    // NextDNS; Firefox's and Chrome's are below it
    "dns.nextdns.io",
    // Mullvad
    "dns.mullvad.net",
    "194.242.2.2",
    "194.242.2.3",
    "194.242.2.4",
    "194.242.2.5",
    "194.242.2.6",
    "194.242.2.9",
    "2a07:e340::2",
    "2a07:e340::3",
    "2a07:e340::4",
    "2a07:e340::5",
    "2a07:e340::6",
    "2a07:e340::9",
    // CleanBrowsing
    "doh.cleanbrowsing.org",
    "security-filter-dns.cleanbrowsing.org",
    "family-filter-dns.cleanbrowsing.org",
    "adult-filter-dns.cleanbrowsing.org",
    "185.228.168.9",
    "185.228.169.9",
    "185.228.168.10",
    "185.228.169.11",
    "185.228.168.168",
    "185.228.169.168",
    // Control D
    "dns.controld.com",
    "freedns.controld.com",
    "76.76.2.0",
    "76.76.10.0",
    // DNS4EU
    "protective.joindns4.eu",
    "child.joindns4.eu",
    "noads.joindns4.eu",
    "child-noads.joindns4.eu",
    "unfiltered.joindns4.eu",
    "86.54.11.1",
    "86.54.11.100",
    // CIRA
    "private.canadianshield.cira.ca",
    "protected.canadianshield.cira.ca",
    "family.canadianshield.cira.ca",
    // AliDNS, DNSPod, 360
    "dns.alidns.com",
    "223.5.5.5",
    "223.6.6.6",
    "doh.pub",
    "dot.pub",
    "1.12.12.12",
    "120.53.53.53",
    "doh.360.cn",
    "dot.360.cn",
    // Apple, and access networks
    "doh.dns.apple.com",
    "doh.xfinity.com",
    "dot.xfinity.com",
    "dns.shaw.ca",
    "doh.cox.net",
    // DNS.SB, IIJ, CZ.NIC, SWITCH
    "doh.dns.sb",
    "doh.sb",
    "dot.sb",
    "185.222.222.222",
    "45.11.45.11",
    "public.dns.iij.jp",
    "odvr.nic.cz",
    "193.17.47.1",
    "185.43.135.1",
    "dns.switch.ch",
    "130.59.31.248",
    // Wikimedia, Digitale Gesellschaft, LibreOps, FFMUC
    "wikimedia-dns.org",
    "185.71.138.138",
    "dns.digitale-gesellschaft.ch",
    "doh.libredns.gr",
    "dot.libredns.gr",
    "116.202.176.26",
    "doh.ffmuc.net",
    "dot.ffmuc.net",
};

// Which servers are known to answer DNS over HTTPS, by the names and addresses of this table and of
// the configuration.
class Resolvers {
 public:
  static constexpr std::size_t kMaxOwn = 64;  // of the configuration

  explicit Resolvers(std::span<const std::string> own = {});
  // A name, or an address; false: it is neither.
  [[nodiscard]] static bool is_valid(std::string_view entry);

  // Whatever its case; or a name above it.
  [[nodiscard]] bool knows_name(std::string_view name) const;
  [[nodiscard]] bool knows_address(const Endpoint& server, std::uint8_t ip_version) const;

 private:
  using Address = std::pair<std::uint8_t, std::array<std::uint8_t, 16>>;  // version, bytes
  static std::optional<Address> address_of(std::string_view text);
  void add(std::string_view entry);

  std::unordered_set<std::string> names_;  // in small letters
  std::set<Address> addresses_;
};

}  // namespace tapio::dns
