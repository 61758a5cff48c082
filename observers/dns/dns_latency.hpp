// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/outside.hpp"
#include "dns_latency.abi.h"
#include "observer.hpp"

namespace tapio::dns {

// The kernel's histograms, as they are read. The key of zeroes is that of all beyond the map's
// bound.
struct KernelLatencies {
  using Entry = std::pair<tapio_dns_latency_key, tapio_dns_latency>;
  std::function<std::vector<Entry>()> read;
  std::function<void(const tapio_dns_latency_key&)> remove;
};

// What came into the kernel's histograms since the last time. Counts in the kernel are never set
// back: what was told of each is remembered here, so none is lost or told twice.
class LatencyNews {
 public:
  // A histogram to which nothing came for so long makes room for another. An answer that comes
  // between the look and the removal is not told.
  static constexpr std::chrono::nanoseconds kStill = std::chrono::minutes(5);

  explicit LatencyNews(KernelLatencies kernel) : kernel_(std::move(kernel)) {}
  // As latencies_of() reads it.
  [[nodiscard]] std::string take(MonotonicTime now);

 private:
  using Key = std::array<std::byte, sizeof(tapio_dns_latency_key)>;
  struct Told {
    tapio_dns_latency sums{};
    MonotonicTime latest{};
  };

  KernelLatencies kernel_;
  std::map<Key, Told> told_;  // bounded by the map of the kernel, and so are its entries
};

// One name server, one cgroup.
struct Latency {
  tapio_dns_latency_key key{};
  tapio_dns_latency counts{};
};
// From what LatencyNews took. The bytes may be anybody's: what does not fit is left out, with all
// that follows.
[[nodiscard]] std::vector<Latency> latencies_of(std::string_view news);

// Records of them, an interval at a time.
class Latencies {
 public:
  Latencies(KernelLatencies kernel, Outside& outside, std::chrono::nanoseconds interval)
      : news_(std::move(kernel)), outside_(&outside), interval_(interval) {}
  void set_interval(std::chrono::nanoseconds interval) { interval_ = interval; }

  // The first interval begins with the first tick.
  void on_tick(MonotonicTime now, Output& out);

 private:
  LatencyNews news_;
  Outside* outside_;
  std::chrono::nanoseconds interval_;
  MonotonicTime since_{};  // 0: no tick yet
};

}  // namespace tapio::dns
