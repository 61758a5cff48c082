// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "dns_wire.abi.h"

// What a DNS message says (RFC 1035, 6891, 9460), for people. All texts are printable ASCII.
namespace tapio::dns {

// One of the section "answer".
struct Answer {
  std::string name;
  std::uint16_t type = 0;
  std::uint32_t ttl = 0;  // seconds
  std::string data;       // as master files write it: "10 mail.example.com"
};

// EDNS(0), RFC 6891, section 6.1.
struct Edns {
  std::uint16_t udp_size = 0;  // that the sender can take
  std::uint8_t rcode_high = 0;
  std::uint8_t version = 0;
  bool dnssec = false;  // DO, RFC 3225
};

enum class Extent : std::uint8_t {
  whole,
  cut,        // by the capture, not by the server: that is TC
  malformed,  // what was read before is here
};

struct Message {
  static constexpr std::size_t kMaxAnswers = 32;   // kept; beyond it `head.answers` tells
  static constexpr std::size_t kMaxRecords = 256;  // looked at, of all sections

  tapio_dns_header head{};
  std::string name;  // of the first question; "": there is none
  std::uint16_t type = 0;
  std::uint16_t rr_class = 0;
  std::vector<Answer> answers;
  std::optional<Edns> edns;
  std::optional<std::uint32_t> negative_ttl;  // RFC 2308, section 5: of "there is no such thing"
  Extent extent = Extent::whole;

  [[nodiscard]] bool is_answer() const { return (head.flags & TAPIO_DNS_QR) != 0; }
  [[nodiscard]] bool is_truncated() const { return (head.flags & TAPIO_DNS_TC) != 0; }
  [[nodiscard]] std::uint16_t rcode() const;
};

// `original` is how many bytes the message had. A fault: there is not even a header.
[[nodiscard]] Result<Message> decode(Bytes message, std::size_t original);

// The same in two steps. A message is seen at each device that it passes, and by header and
// question it is known again: then the rest need not be read.
struct Unread {
  Bytes message;
  std::size_t original = 0;
  std::uint32_t at = 0;  // where the records begin; 0: nothing is left to be read
};
[[nodiscard]] Result<Message> decode_question(Bytes message, std::size_t original, Unread& rest);
void decode_rest(const Unread& rest, Message& message);

// "AAAA"; "TYPE65400", RFC 3597.
[[nodiscard]] std::string type_name(std::uint16_t type);
// "IN"; "CLASS17".
[[nodiscard]] std::string class_name(std::uint16_t rr_class);
// "NXDOMAIN"; "RCODE24".
[[nodiscard]] std::string rcode_name(std::uint16_t rcode);
// Those that are set: aa, tc, rd, ra, ad, cd.
[[nodiscard]] std::vector<std::string_view> flag_names(std::uint16_t flags);

// Names are the same but for the case of letters, RFC 4343: of ASCII, in any locale.
[[nodiscard]] constexpr char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}
[[nodiscard]] bool is_same_name(std::string_view a, std::string_view b);

inline constexpr std::uint16_t kA = 1, kNs = 2, kCname = 5, kSoa = 6, kPtr = 12, kMx = 15,
                               kTxt = 16, kAaaa = 28, kSrv = 33, kDname = 39, kOpt = 41, kSvcb = 64,
                               kHttps = 65;
inline constexpr std::uint16_t kNoError = 0, kServFail = 2, kNxDomain = 3, kRefused = 5;

}  // namespace tapio::dns
