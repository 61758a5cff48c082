// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <optional>

#include "base/bucket.hpp"
#include "dns_config.hpp"
#include "dns_detectors.hpp"
#include "dns_encrypted.hpp"
#include "dns_exchanges.hpp"
#include "dns_health.hpp"
#include "dns_latency.hpp"
#include "dns_library.hpp"
#include "dns_searches.hpp"
#include "dns_stream.hpp"
#include "observer.hpp"

namespace tapio::dns {

// Turns messages into lookups and findings. Knows nothing of libbpf; a test feeds it bytes.
class DnsObserver final : public Observer {
 public:
  // `crowded`: lookups that programs had no place for, so far.
  explicit DnsObserver(
      const Config& config, TcpSight tcp = TcpSight::unseen,
      std::optional<Latencies> latencies = {},
      std::function<std::uint64_t()> crowded = [] { return std::uint64_t{0}; })
      : config_(config),
        rate_(config.rate_per_second),
        exchanges_(config.timeout),
        encrypted_(config.encrypted_resolvers),
        detectors_(config, tcp),
        health_(config.health_interval),
        latencies_(std::move(latencies)),
        crowded_(std::move(crowded)) {}

  Status on_sample(const wire::Sample& sample, Output& out) override;
  void on_fact(const Fact& fact, Output& out) override;
  void on_tick(MonotonicTime now, Output& out) override;
  void on_settings(const config::Section& settings) override;

  [[nodiscard]] std::vector<Counter> counters() const override;

  [[nodiscard]] const Exchanges& exchanges() const { return exchanges_; }
  [[nodiscard]] const Streams& streams() const { return streams_; }
  [[nodiscard]] const Encrypted& encrypted() const { return encrypted_; }

 private:
  void take(Datagram message, Output& out);
  void take(std::vector<Datagram> messages, Output& out);
  void take(const Call& call, Output& out);
  void tell(Lookup& lookup, Output& out);
  void tell(const EncryptedSession& session, Output& out);
  [[nodiscard]] bool is_ordinary(const Lookup& lookup) const;
  bool admit(MonotonicTime now);  // of what is ordinary

  Config config_;
  Bucket rate_;
  std::uint64_t beyond_ = 0;  // ordinary lookups above the rate
  Streams streams_;
  Exchanges exchanges_;
  Encrypted encrypted_;
  Searches searches_;
  Detectors detectors_;
  Library library_;
  Health health_;
  std::optional<Latencies> latencies_;  // where the kernel counts
  std::function<std::uint64_t()> crowded_;
};

}  // namespace tapio::dns
