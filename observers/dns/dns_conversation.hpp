// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gmock/gmock.h>

#include <optional>
#include <string_view>
#include <vector>

#include "dns_observer.hpp"
#include "dns_samples.hpp"

namespace tapio::dns {

using namespace std::chrono_literals;

inline constexpr MonotonicTime kStart = std::chrono::seconds(1000);

inline Wire with_address(std::uint16_t id, std::string_view name) {
  auto wire = Wire::answer(id, name, kA);
  wire.record("\xc0\x0c", kA, 60, std::string("\xc0\x00\x02\x07", 4));
  return wire;
}

// For tests: an observer that is given packets, and what it gives out, as a Collected.
template <typename Out>
class Conversation : public testing::Test {
 protected:
  Status feed(const Packet& packet, const Wire& message) {
    const auto bytes = sample_of(packet, message);
    return observer_->on_sample(TRY(wire::open_sample(bytes)), out_);
  }
  void asks(MonotonicTime at, std::uint16_t id, std::string_view name, Packet packet = {}) {
    packet.time = kStart + at;
    ASSERT_TRUE(feed(packet, Wire::query(id, name, kA)));
  }
  void asks_for(MonotonicTime at, std::uint16_t id, std::string_view name, std::uint16_t type,
                Packet packet = {}) {
    packet.time = kStart + at;
    ASSERT_TRUE(feed(packet, Wire::query(id, name, type)));
  }
  void answers(MonotonicTime at, const Wire& message, Packet packet = {}) {
    packet.time = kStart + at;
    packet.is_sender = packet.direction == TAPIO_DNS_SENT;
    ASSERT_TRUE(feed(packet, message));
  }
  void is_answered(MonotonicTime at, std::uint16_t id, std::string_view name,
                   std::uint16_t flags = 0) {
    answers(at, Wire::answer(id, name, kA, flags), kReceived);
  }
  std::vector<std::string_view> findings() const {
    std::vector<std::string_view> names;
    for (const Record& record : out_.records)
      if (record.schema->kind == Kind::finding) names.push_back(record.schema->name);
    return names;
  }

  static constexpr Packet kReceived{.direction = TAPIO_DNS_RECEIVED};
  Out out_;
  std::optional<DnsObserver> observer_{std::in_place, Config{}};
};

}  // namespace tapio::dns
