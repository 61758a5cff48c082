// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/bytes.hpp"
#include "dns_message.hpp"

namespace tapio::dns {

// DNS messages for tests, byte by byte; wrong ones too.
class Wire {
 public:
  static Wire empty(std::uint16_t id, std::uint16_t flags, std::uint16_t questions) {
    Wire wire;
    wire.u16(id).u16(flags).u16(questions).u16(0).u16(0).u16(0);
    return wire;
  }
  // Labels between dots, whatever is in them.
  static Wire query(std::uint16_t id, std::string_view name, std::uint16_t type) {
    return empty(id, TAPIO_DNS_RD, 1).question(name, type);
  }
  // To the same question, without records yet.
  static Wire answer(std::uint16_t id, std::string_view name, std::uint16_t type,
                     std::uint16_t flags = 0) {
    return empty(id, TAPIO_DNS_QR | TAPIO_DNS_RD | TAPIO_DNS_RA | flags, 1).question(name, type);
  }

  Wire& record(std::string_view owner, std::uint16_t type, std::uint32_t ttl,
               std::string_view data) {
    count(6);
    return append_record(owner, type, ttl, data);
  }
  Wire& authority(std::string_view owner, std::uint16_t type, std::uint32_t ttl,
                  std::string_view data) {
    count(8);
    return append_record(owner, type, ttl, data);
  }
  Wire& additional(std::string_view whole) {
    count(10);
    return raw(whole);
  }
  Wire& raw(std::string_view bytes) {
    text_ += bytes;
    return *this;
  }

  [[nodiscard]] const std::string& text() const { return text_; }
  [[nodiscard]] Bytes bytes() const { return std::as_bytes(std::span(text_)); }

 private:
  Wire& question(std::string_view name, std::uint16_t type) {
    while (!name.empty()) {
      const auto label = name.substr(0, name.find('.'));
      text_ += static_cast<char>(label.size());
      text_ += label;
      name.remove_prefix(std::min(name.size(), label.size() + 1));
    }
    text_ += '\0';
    return u16(type).u16(1);
  }
  Wire& append_record(std::string_view owner, std::uint16_t type, std::uint32_t ttl,
                      std::string_view data) {
    raw(owner).u16(type).u16(1);
    u16(static_cast<std::uint16_t>(ttl >> 16)).u16(static_cast<std::uint16_t>(ttl));
    return u16(static_cast<std::uint16_t>(data.size())).raw(data);
  }
  void count(std::size_t at) { text_[at + 1]++; }
  Wire& u16(std::uint16_t value) {
    text_ += static_cast<char>(value >> 8);
    text_ += static_cast<char>(value);
    return *this;
  }

  std::string text_;
};

}  // namespace tapio::dns
