// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "base/lru.hpp"
#include "dns_config.hpp"
#include "dns_findings.hpp"
#include "dns_records.hpp"

namespace tapio::dns {

// Whether queries over TCP can be seen here. Where they cannot, nothing is said about what follows.
enum class TcpSight : std::uint8_t { seen, unseen };

// Answers that did not fit into a datagram (TC), and what the one who asked did then: mostly it
// asks again over TCP (RFC 7766, section 5).
class Truncations {
 public:
  // Of each; beyond: the one that was of use longest ago goes.
  static constexpr std::size_t kMaxNames = 1'024, kMaxServers = 256;
  static constexpr std::size_t kMaxWaiting =
      1'024;  // for what follows; beyond: the oldest does not
  // Beyond the timeout and what Exchanges adds to it: a TCP connection has to be made first.
  static constexpr std::chrono::nanoseconds kPatience = std::chrono::seconds(4);

  explicit Truncations(TcpSight tcp) : tcp_(tcp) {}
  void configure(const Config& config);

  void on(const Lookup& lookup, Transport by, RecordId evidence, Output& out);
  void on_tick(MonotonicTime now, Output& out);
  // Messages were lost: what was waited for may have been among them.
  void lost() {
    waiting_.forget_while([](const Truncated&) { return true; });
  }

 private:
  struct Name {
    Streak truncated, over_tcp, over_udp;
  };
  struct Truncated {
    Lookup lookup;  // without its answer
    RecordId evidence;
  };

  void follow(const Lookup& lookup, Transport by);
  void repeated(const Lookup& lookup, RecordId evidence, Output& out);
  void abandoned(const Truncated& truncated, Output& out);
  [[nodiscard]] std::string what_followed(const Name& name) const;

  TcpSight tcp_;
  std::chrono::nanoseconds timeout_{};
  std::size_t truncated_ = 0, abandoned_ = 0;
  Lru<std::string, Name> names_{kMaxNames};  // by server, type and name
  // By process, type and name; in order of time.
  Lru<std::string, Truncated> waiting_{kMaxWaiting};
  Lru<std::string, Streak> servers_{kMaxServers};
};

}  // namespace tapio::dns
