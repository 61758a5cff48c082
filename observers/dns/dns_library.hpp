// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <deque>
#include <string>

#include "base/lru.hpp"
#include "dns_detectors.hpp"
#include "dns_exchanges.hpp"

namespace tapio::dns {

// A call of getaddrinfo() that is over.
struct Call {
  Origin origin;  // who called, and when it came back
  MonotonicTime began{};
  std::int32_t result = 0;  // 0, or one of EAI_
  std::string name;         // as the program gave it, odd bytes as \DDD

  [[nodiscard]] std::chrono::nanoseconds duration() const { return origin.time - began; }
};

[[nodiscard]] Result<Call> call_of(const wire::Sample& sample);
// EAI_AGAIN and the like (RFC 3493, section 6.1); a number for one that is not known.
[[nodiscard]] std::string error_name(std::int32_t result);

// What the resolver library does with the time of a call: part of it passes on the wire, between
// a query and its answer, and the rest is the library's own.
class Library {
 public:
  static constexpr std::size_t kMaxThreads = 1'024;  // beyond: the one quiet for longest goes
  static constexpr std::size_t kMaxQueries = 32;     // of a thread; beyond: the oldest goes
  static constexpr std::size_t kMaxProcesses = 512;  // with slow calls; beyond: the same
  static constexpr std::chrono::nanoseconds kWindow = std::chrono::minutes(1);

  struct Share {
    std::chrono::nanoseconds time{};  // in which an answer was waited for
    std::uint64_t queries = 0;
  };

  // Queries of clients here, when they are asked and when they are over.
  void asked(const Datagram& query);
  void concluded(const Lookup& lookup);
  // Of a call, what passed on the wire. A query without an answer counts up to the call's end.
  [[nodiscard]] Share on_the_wire(const Call& call);

  // The call's record is `evidence`. `slow`: calls that take longer, and `calls` of them in a
  // minute, are told when most of the time was not the wire's.
  struct Limits {
    std::chrono::nanoseconds slow;
    std::size_t calls;
  };
  void judge(const Call& call, const Share& share, RecordId evidence, const Limits& limits,
             Output& out);

 private:
  struct Query {
    MonotonicTime asked{}, concluded{};  // 0: under way
    Endpoint client;
    std::uint16_t id = 0;
  };

  Lru<std::uint32_t, std::deque<Query>> threads_{kMaxThreads};
  Lru<std::uint32_t, Streak> processes_{kMaxProcesses};
};

[[nodiscard]] Record record_of(const Call& call, const Library::Share& share, Arena& arena);

}  // namespace tapio::dns
