// SPDX-License-Identifier: Apache-2.0
#include "dns_rdata.hpp"

#include <arpa/inet.h>
#include <fmt/compile.h>
#include <fmt/format.h>

#include <array>
#include <cstring>
#include <optional>

#include "dns_message.hpp"

namespace tapio::dns {

namespace {

using Octets = std::span<const std::uint8_t>;

// The data of one record, read from its beginning. What is not there makes it fail, and what is
// read of it then means nothing.
class Data {
 public:
  Data(Octets message, const tapio_dns_record& record)
      : message_(message), at_(record.data), end_(record.data + record.size) {}

  std::uint8_t u8() { return take(1)[0]; }
  std::uint16_t u16() { return tapio_dns_u16(take(2).data()); }
  std::uint32_t u32() { return tapio_dns_u32(take(4).data()); }
  // Compressed or not: pointers may lead out of the data, but the name ends in it.
  std::string name() {
    tapio_dns_name name;
    const auto next = failed_
                          ? 0
                          : tapio_dns_read_name(message_.data(), static_cast<std::uint32_t>(end_),
                                                static_cast<std::uint32_t>(at_), &name);
    failed_ = next == 0;
    if (failed_) return {};
    at_ = next;
    return {name.text, name.size};
  }
  Octets bytes(std::size_t count) {
    const auto taken = take(count);
    return failed_ ? Octets() : taken;
  }
  [[nodiscard]] std::size_t left() const { return failed_ ? 0 : end_ - at_; }
  void fail() { failed_ = true; }
  [[nodiscard]] bool failed() const { return failed_; }
  [[nodiscard]] bool used_up() const { return !failed_ && at_ == end_; }

 private:
  // At least four bytes stand behind what is returned when it fails.
  Octets take(std::size_t count) {
    static constexpr std::array<std::uint8_t, 4> kNothing{};
    failed_ = failed_ || count > end_ - at_;
    if (failed_) return kNothing;
    const auto taken = message_.subspan(at_, count);
    at_ += count;
    return taken;
  }

  Octets message_;
  std::size_t at_, end_;
  bool failed_ = false;
};

// RFC 1035, section 5.1: in quotes, escaped.
void append_quoted(std::string& text, Octets bytes) {
  text += '"';
  for (const auto byte : bytes) {
    const bool is_printable = byte >= 0x20 && byte < 0x7f;
    if (!is_printable)
      text += fmt::format("\\{:03}", byte);
    else if (byte == '"' || byte == '\\')
      text += fmt::format("\\{:c}", byte);
    else
      text += static_cast<char>(byte);
  }
  text += '"';
}

std::string strings(Data& data) {
  std::string text;
  while (data.left() > 0 && text.size() < kMaxDataText) {
    if (!text.empty()) text += ' ';
    append_quoted(text, data.bytes(data.u8()));
  }
  if (data.left() > 0) data.bytes(data.left());
  return text;
}

std::string addresses(Data& data, std::size_t each) {
  std::string text;
  while (data.left() > 0) {
    if (!text.empty()) text += ',';
    text += address_text(data.bytes(each));
  }
  return text;
}

// RFC 9460, section 14.3.2.
std::string parameter(std::uint16_t key, Data& data) {
  switch (key) {
    case 1: {
      std::string text;
      while (data.left() > 0) {
        if (!text.empty()) text += ',';
        append_quoted(text, data.bytes(data.u8()));
      }
      return "alpn=" + text;
    }
    case 2:
      return "no-default-alpn";
    case 3:
      return fmt::format("port={}", data.u16());
    case 4:
      return "ipv4hint=" + addresses(data, 4);
    case 6:
      return "ipv6hint=" + addresses(data, 16);
    default:
      return fmt::format("key{}={:02x}", key, fmt::join(data.bytes(data.left()), ""));
  }
}

// SVCB and HTTPS, RFC 9460, section 2.2.
std::string service(Octets message, Data& data, const tapio_dns_record& record) {
  const auto priority = data.u16();
  std::string text = fmt::format("{} {}", priority, data.name());
  while (data.left() > 0 && text.size() < kMaxDataText) {
    const auto key = data.u16();
    const auto size = data.u16();
    const auto at = record.data + record.size - static_cast<std::uint32_t>(data.left());
    data.bytes(size);
    if (data.failed()) break;
    Data value(message, {.data = at, .size = size});
    text += ' ' + parameter(key, value);
    if (!value.used_up()) data.fail();
  }
  if (data.left() > 0) data.bytes(data.left());
  return text;
}

std::string start_of_authority(Data& data) {
  const auto server = data.name(), mailbox = data.name();
  const auto serial = data.u32(), refresh = data.u32(), retry = data.u32(), expire = data.u32(),
             minimum = data.u32();
  return fmt::format("{} {} {} {} {} {} {}", server, mailbox, serial, refresh, retry, expire,
                     minimum);
}

std::string server_of_service(Data& data) {
  const auto priority = data.u16(), weight = data.u16(), port = data.u16();
  return fmt::format("{} {} {} {}", priority, weight, port, data.name());
}

std::optional<std::string> known(Octets message, const tapio_dns_record& record) {
  Data data(message, record);
  std::string text;
  switch (record.type) {
    case kA:
      text = address_text(data.bytes(4));
      break;
    case kAaaa:
      text = address_text(data.bytes(16));
      break;
    case kNs:
    case kCname:
    case kPtr:
    case kDname:
      text = data.name();
      break;
    case kMx: {
      const auto preference = data.u16();
      text = fmt::format("{} {}", preference, data.name());
      break;
    }
    case kTxt:
      text = strings(data);
      break;
    case kSrv:
      text = server_of_service(data);
      break;
    case kSoa:
      text = start_of_authority(data);
      break;
    case kSvcb:
    case kHttps:
      text = service(message, data, record);
      break;
    default:
      return std::nullopt;
  }
  if (!data.used_up()) return std::nullopt;
  return text;
}

std::string unknown(Octets message, const tapio_dns_record& record) {
  const auto data = message.subspan(record.data, std::min<std::size_t>(record.size, kMaxDataText));
  return fmt::format("\\# {} {:02x}", record.size, fmt::join(data, ""));
}

}  // namespace

std::string data_text(std::span<const std::uint8_t> message, const tapio_dns_record& record) {
  static constexpr std::string_view kMore = "...";
  auto text = known(message, record).value_or(std::string());
  if (text.empty()) text = unknown(message, record);
  if (text.size() > kMaxDataText) text.replace(kMaxDataText - kMore.size(), text.npos, kMore);
  return text;
}

std::string address_text(std::span<const std::uint8_t> address) {
  // inet_ntop() goes through sprintf() for these, and each record has two.
  if (address.size() == 4)
    return fmt::format(FMT_COMPILE("{}.{}.{}.{}"), address[0], address[1], address[2], address[3]);
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (address.size() != 16) return {};
  return ::inet_ntop(AF_INET6, address.data(), text.data(), text.size()) ? text.data() : "";
}

std::string printable(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte > 0x20 && byte < 0x7f && c != '\\')
      out += c;
    else
      out += fmt::format("\\{:03}", byte);
  }
  return out;
}

std::span<const std::uint8_t> octets(Bytes bytes) {
  return {static_cast<const std::uint8_t*>(static_cast<const void*>(bytes.data())), bytes.size()};
}

}  // namespace tapio::dns
