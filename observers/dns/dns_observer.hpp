// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/bucket.hpp"
#include "dns_config.hpp"
#include "dns_detectors.hpp"
#include "dns_exchanges.hpp"
#include "observer.hpp"

namespace tapio::dns {

// Turns messages into lookups and findings. Knows nothing of libbpf; a test feeds it bytes.
class DnsObserver final : public Observer {
 public:
  explicit DnsObserver(const Config& config)
      : config_(config),
        rate_(config.rate_per_second),
        exchanges_(config.timeout),
        detectors_(config) {}

  Status on_sample(const wire::Sample& sample, Output& out) override;
  void on_fact(const Fact& fact, Output& out) override;
  void on_tick(MonotonicTime now, Output& out) override;
  void on_settings(const config::Section& settings) override;

  [[nodiscard]] const Exchanges& exchanges() const { return exchanges_; }

 private:
  void tell(const Lookup& lookup, Output& out);
  [[nodiscard]] bool is_ordinary(const Lookup& lookup) const;
  bool admit(const Lookup& lookup);

  Config config_;
  Bucket rate_;
  std::uint64_t beyond_ = 0;  // ordinary lookups above the rate
  Exchanges exchanges_;
  Detectors detectors_;
};

}  // namespace tapio::dns
