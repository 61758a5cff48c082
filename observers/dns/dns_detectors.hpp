// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <optional>
#include <string>

#include "base/lru.hpp"
#include "dns_config.hpp"
#include "dns_findings.hpp"
#include "dns_searches.hpp"
#include "dns_servers.hpp"
#include "dns_truncations.hpp"
#include "observer.hpp"

namespace tapio::dns {

// What lookups show together. Time is that of the lookups, so a replay finds the same.
class Detectors {
 public:
  // Of each; beyond: the one that was of use longest ago goes.
  static constexpr std::size_t kMaxProcesses = 512, kMaxNames = 1'024, kMaxSearches = 512;

  Detectors(const Config& config, TcpSight tcp) : truncations_(tcp) { configure(config); }
  void configure(const Config& config);

  // A lookup of a client here, its record, and its place in a search, if it has one.
  void on(const Lookup& lookup, const std::optional<Searches::Step>& step, RecordId evidence,
          Output& out);
  void on_tick(MonotonicTime now, Output& out) { truncations_.on_tick(now, out); }
  void lost() { truncations_.lost(); }  // messages

 private:
  struct Name {
    MonotonicTime used{};
    Streak failures;
  };

  void answered(const Lookup& lookup, RecordId evidence, Output& out);
  void retried(const Lookup& lookup, RecordId evidence, Output& out);
  void searched(const Lookup& lookup, const Searches::Step& step, RecordId evidence, Output& out);
  void failed(const Lookup& lookup, std::string_view how, RecordId evidence, Output& out);
  void forget_searched(const Lookup& lookup);
  Name& use_name(const std::string& key, MonotonicTime now);

  std::size_t failing_answers_ = 0, retries_ = 0, search_names_ = 0, search_lookups_ = 0;
  ServerFaults servers_;
  Truncations truncations_;
  Lru<std::uint32_t, Streak> retried_{kMaxProcesses};
  Lru<std::string, Streak> searches_{kMaxSearches};  // by process and what it searches
  std::map<std::string, Name> names_;                // by process and name, in their order
};

}  // namespace tapio::dns
