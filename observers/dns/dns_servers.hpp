// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <deque>
#include <string>

#include "base/lru.hpp"
#include "dns_config.hpp"
#include "dns_findings.hpp"
#include "dns_slow_names.hpp"

namespace tapio::dns {

// What is wrong with name servers: one that is silent, slow, or answered for by somebody else. What
// is only a name's fault is told as such, and not held against them.
class ServerFaults {
 public:
  // Of each; beyond: the one that was of use longest ago goes.
  static constexpr std::size_t kMaxServers = 256, kMaxStrays = 256;
  static constexpr std::size_t kMaxSeen = 64;  // of a server's lookups; beyond: the oldest goes

  void configure(const Config& config);
  // True: it is the name's fault, or its zone's.
  bool on(const Lookup& lookup, RecordId evidence, Output& out);

 private:
  // A slow or unanswered lookup in short: names by hashes. Two that share one are taken for one.
  struct Seen {
    MonotonicTime asked{}, concluded{};
    std::size_t name = 0, zone = 0;
    bool is_answered = true;
    RecordId evidence{};
  };
  struct Server {
    std::string text;
    MonotonicTime used{}, answered{};  // the last time; 0: never
    PerMinute slow, fast;
    std::deque<Seen> lagging;
    Streak unanswered;  // since it last answered
    Repeat slow_told;
  };

  void note(Server& server, const Lookup& lookup, RecordId evidence);
  void unanswered(Server& server, const Lookup& lookup, RecordId evidence, Output& out);
  void slow(Server& server, const Lookup& lookup, Output& out);
  void stray(const Lookup& lookup, RecordId evidence, Output& out);
  [[nodiscard]] bool is_silent(const Server& server, MonotonicTime now) const;
  [[nodiscard]] static bool may_be_one_name(const Server& server);
  [[nodiscard]] std::string others(const Server& server, MonotonicTime now) const;

  std::chrono::nanoseconds slow_{};
  std::size_t silent_queries_ = 0, slow_answers_ = 0, strays_ = 0;
  SlowNames names_;
  Lru<std::string, Server> servers_{kMaxServers};
  Lru<std::string, Streak> by_stray_{kMaxStrays};  // by server and who answered
};

}  // namespace tapio::dns
