// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "dns_exchanges.hpp"
#include "dns_histogram.hpp"
#include "observer.hpp"

namespace tapio::dns {

// How name servers do: what was asked of each from here, and what came of it, an interval at a
// time. Every lookup counts, also those whose records are held back by a rate.
class Health {
 public:
  static constexpr std::size_t kMaxServers = 256;  // beyond: those that come later are `other`

  explicit Health(std::chrono::nanoseconds interval) : interval_(interval) {}
  void set_interval(std::chrono::nanoseconds interval) { interval_ = interval; }

  void on(const Lookup& lookup);  // one of a client here
  // Records for the interval that is over, if one is. The next one begins with the next lookup.
  void on_tick(MonotonicTime now, Output& out);

 private:
  struct Series {
    std::string address;
    std::uint16_t port = 0;
    std::uint64_t lookups = 0, answered = 0, unanswered = 0, unknown = 0, repeated = 0;
    std::uint64_t no_error = 0, no_domain = 0, server_failure = 0, refused = 0, other_code = 0;
    std::uint64_t truncated = 0;
    Histogram latency;

    void add(const Lookup& lookup);
    void add_answer(const Lookup& lookup);
  };
  Series& series_of(const Datagram& query);
  void tell(const Series& series, MonotonicTime now, Output& out) const;

  std::chrono::nanoseconds interval_;
  std::optional<MonotonicTime> since_;     // the first lookup of this interval
  std::map<std::string, Series> servers_;  // as they are written, so records are in that order
  std::optional<Series> other_;
};

}  // namespace tapio::dns
