// SPDX-License-Identifier: Apache-2.0
#include "dns_message.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "dns_rdata.hpp"

namespace tapio::dns {

namespace {

template <typename Code>
struct Named {
  Code code;
  std::string_view name;
};

// IANA: Resource Record (RR) TYPEs; those that are met in the field.
constexpr Named<std::uint16_t> kTypes[] = {
    {kA, "A"},          {kNs, "NS"},   {kCname, "CNAME"}, {kSoa, "SOA"},   {kPtr, "PTR"},
    {13, "HINFO"},      {kMx, "MX"},   {kTxt, "TXT"},     {kAaaa, "AAAA"}, {29, "LOC"},
    {kSrv, "SRV"},      {35, "NAPTR"}, {kDname, "DNAME"}, {kOpt, "OPT"},   {43, "DS"},
    {44, "SSHFP"},      {46, "RRSIG"}, {47, "NSEC"},      {48, "DNSKEY"},  {50, "NSEC3"},
    {51, "NSEC3PARAM"}, {52, "TLSA"},  {59, "CDS"},       {60, "CDNSKEY"}, {kSvcb, "SVCB"},
    {kHttps, "HTTPS"},  {249, "TKEY"}, {250, "TSIG"},     {251, "IXFR"},   {252, "AXFR"},
    {255, "ANY"},       {256, "URI"},  {257, "CAA"},
};

constexpr Named<std::uint16_t> kClasses[] = {
    {1, "IN"}, {3, "CH"}, {4, "HS"}, {254, "NONE"}, {255, "ANY"}};

// IANA: DNS RCODEs.
constexpr Named<std::uint16_t> kRcodes[] = {
    {kNoError, "NOERROR"}, {1, "FORMERR"},        {kServFail, "SERVFAIL"}, {kNxDomain, "NXDOMAIN"},
    {4, "NOTIMP"},         {kRefused, "REFUSED"}, {6, "YXDOMAIN"},         {7, "YXRRSET"},
    {8, "NXRRSET"},        {9, "NOTAUTH"},        {10, "NOTZONE"},         {11, "DSOTYPENI"},
    {16, "BADVERS"},       {17, "BADKEY"},        {18, "BADTIME"},         {19, "BADMODE"},
    {20, "BADNAME"},       {21, "BADALG"},        {22, "BADTRUNC"},        {23, "BADCOOKIE"},
};

constexpr Named<std::uint16_t> kFlags[] = {
    {TAPIO_DNS_AA, "aa"}, {TAPIO_DNS_TC, "tc"}, {TAPIO_DNS_RD, "rd"},
    {TAPIO_DNS_RA, "ra"}, {TAPIO_DNS_AD, "ad"}, {TAPIO_DNS_CD, "cd"},
};

std::string named(std::span<const Named<std::uint16_t>> list, std::uint16_t code,
                  std::string_view otherwise) {
  for (const auto& each : list)
    if (each.code == code) return std::string(each.name);
  return fmt::format("{}{}", otherwise, code);
}

Edns edns_of(const tapio_dns_record& record) {
  return {.udp_size = record.rr_class,
          .rcode_high = static_cast<std::uint8_t>(record.ttl >> 24),
          .version = static_cast<std::uint8_t>(record.ttl >> 16),
          .dnssec = (record.ttl & 0x8000) != 0};
}

// Walks through a message, section by section.
class Reader {
 public:
  Reader(std::span<const std::uint8_t> bytes, Message& message) : bytes_(bytes), out_(message) {}

  // Where the records begin; 0: something was not whole.
  std::uint32_t questions() {
    for (std::uint16_t i = 0; i < out_.head.questions; ++i) {
      if (!spend() ||
          !advance(tapio_dns_read_question(bytes_.data(), size(), at_, &name_, &record_)))
        return 0;
      if (i != 0) continue;
      out_.name = name();
      out_.type = record_.type;
      out_.rr_class = record_.rr_class;
    }
    return at_;
  }
  // From there on. False: something was not whole.
  bool all_records(std::uint32_t at) {
    at_ = at;
    records_ = out_.head.questions;
    out_.answers.reserve(std::min<std::size_t>(out_.head.answers, Message::kMaxAnswers));
    return records(out_.head.answers, &Reader::answer) &&
           records(out_.head.authorities, &Reader::authority) &&
           records(out_.head.additionals, &Reader::additional);
  }

 private:
  using Take = void (Reader::*)();

  bool advance(std::uint32_t to) {
    if (to == 0) return false;
    at_ = to;
    return true;
  }
  [[nodiscard]] std::uint32_t size() const { return static_cast<std::uint32_t>(bytes_.size()); }
  [[nodiscard]] std::string name() const { return {name_.text, name_.size}; }

  bool records(std::uint16_t count, Take take) {
    for (std::uint16_t i = 0; i < count; ++i) {
      if (!spend() || !advance(tapio_dns_read_record(bytes_.data(), size(), at_, &name_, &record_)))
        return false;
      (this->*take)();
    }
    return true;
  }
  void answer() {
    if (out_.answers.size() < Message::kMaxAnswers)
      out_.answers.push_back({.name = name(),
                              .type = record_.type,
                              .ttl = record_.ttl,
                              .data = data_text(bytes_, record_)});
  }
  void authority() {
    if (record_.type != kSoa || record_.size < 4) return;
    const auto minimum = tapio_dns_u32(bytes_.data() + record_.data + record_.size - 4);
    out_.negative_ttl = std::min(minimum, record_.ttl);
  }
  void additional() {
    if (record_.type == kOpt && !out_.edns) out_.edns = edns_of(record_);
  }
  bool spend() { return ++records_ <= Message::kMaxRecords; }

  std::span<const std::uint8_t> bytes_;
  Message& out_;
  std::uint32_t at_ = TAPIO_DNS_HEADER_BYTES;
  std::size_t records_ = 0;
  tapio_dns_name name_{};
  tapio_dns_record record_{};
};

bool is_cut(const Unread& rest) {
  return rest.original > rest.message.size();
}

// Of a message in which something was not whole.
Extent broken(const Unread& rest) {
  return is_cut(rest) ? Extent::cut : Extent::malformed;
}

}  // namespace

std::uint16_t Message::rcode() const {
  const unsigned high = edns ? edns->rcode_high : 0;
  return static_cast<std::uint16_t>(high << 4 | (head.flags & TAPIO_DNS_RCODE));
}

Result<Message> decode_question(Bytes message, std::size_t original, Unread& rest) {
  if (message.size() < TAPIO_DNS_HEADER_BYTES)
    return invalid(fmt::format("dns: {} bytes are no message", message.size()));
  const auto bytes = octets(message);
  Message decoded;
  decoded.head = tapio_dns_read_header(bytes.data());
  rest = {.message = message, .original = original, .at = Reader(bytes, decoded).questions()};
  if (rest.at == 0) decoded.extent = broken(rest);
  return decoded;
}

void decode_rest(const Unread& rest, Message& message) {
  if (rest.at == 0) return;
  if (!Reader(octets(rest.message), message).all_records(rest.at))
    message.extent = broken(rest);
  else if (is_cut(rest))
    message.extent = Extent::cut;
}

Result<Message> decode(Bytes message, std::size_t original) {
  Unread rest;
  auto decoded = TRY(decode_question(message, original, rest));
  decode_rest(rest, decoded);
  return decoded;
}

std::string type_name(std::uint16_t type) {
  return named(kTypes, type, "TYPE");
}

std::string class_name(std::uint16_t rr_class) {
  return named(kClasses, rr_class, "CLASS");
}

std::string rcode_name(std::uint16_t rcode) {
  return named(kRcodes, rcode, "RCODE");
}

bool is_same_name(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, {}, lower, lower);
}

std::vector<std::string_view> flag_names(std::uint16_t flags) {
  std::vector<std::string_view> names;
  names.reserve(std::size(kFlags));
  for (const auto& flag : kFlags)
    if ((flags & flag.code) != 0) names.push_back(flag.name);
  return names;
}

}  // namespace tapio::dns
