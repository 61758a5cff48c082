// SPDX-License-Identifier: Apache-2.0
#include "dns_latency.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <functional>

#include "base/pack.hpp"
#include "dns_datagram.hpp"
#include "dns_histogram.hpp"
#include "dns_schemas.hpp"

namespace tapio::dns {

namespace {

constexpr std::size_t kMaxLatencies = TAPIO_DNS_LATENCIES + 1;  // one more for all others

tapio_dns_latency difference(const tapio_dns_latency& now, const tapio_dns_latency& before) {
  tapio_dns_latency news{.total_ns = now.total_ns - before.total_ns, .buckets = {}};
  std::ranges::transform(now.buckets, before.buckets, news.buckets, std::minus{});
  return news;
}

bool is_empty(const tapio_dns_latency& latency) {
  return std::ranges::all_of(latency.buckets, [](std::uint32_t count) { return count == 0; });
}

void append(Packer& pack, const tapio_dns_latency_key& key, const tapio_dns_latency& counts) {
  pack(key.ip_version)(key.server_port)(key.cgroup_id);
  for (const std::uint8_t byte : key.server) pack(byte);
  pack(counts.total_ns);
  std::uint32_t empty = 0;  // before the next that is not
  for (const std::uint32_t count : counts.buckets) {
    if (count == 0) {
      empty++;
      continue;
    }
    pack(empty)(count);
    empty = 0;
  }
  pack(empty)(std::uint32_t{0});
}

bool take(Unpacker& unpack, Latency& latency) {
  auto& [key, counts] = latency;
  unpack(key.ip_version)(key.server_port)(key.cgroup_id);
  for (std::uint8_t& byte : key.server) unpack(byte);
  unpack(counts.total_ns);
  std::size_t next = 0;
  for (;;) {
    std::uint32_t empty = 0, count = 0;
    if (!unpack(empty)(count).ok() || empty > TAPIO_DNS_BUCKETS - next) return false;
    next += empty;
    if (count == 0) return next == TAPIO_DNS_BUCKETS;
    if (next == TAPIO_DNS_BUCKETS) return false;
    counts.buckets[next++] = count;
  }
}

std::string_view address_of(const tapio_dns_latency_key& key, Arena& arena) {
  if (key.ip_version == 0) return "other";
  return arena.keep(address_text(endpoint(key.server, key.server_port), key.ip_version));
}

// By powers of two, from which on how many: "256:12".
std::span<const std::string_view> buckets_of(const Histogram& histogram, Arena& arena) {
  std::vector<std::string> texts;
  const auto powers = histogram.by_powers();
  for (std::size_t n = 0; n < powers.size(); ++n)
    if (powers[n] != 0)
      texts.push_back(fmt::format("{}:{}", (std::uint64_t{1} << n) / 2, powers[n]));
  const auto kept = arena.list(texts.size());
  std::ranges::transform(texts, kept.begin(),
                         [&](const std::string& text) { return arena.keep(text); });
  return kept;
}

Value known(std::uint64_t number) {
  return number == 0 ? Value{} : Value{number};
}

void tell(const Latency& latency, MonotonicTime now, std::chrono::nanoseconds window, Output& out) {
  const auto& [key, counts] = latency;
  const Histogram histogram(std::to_array(counts.buckets),
                            std::chrono::nanoseconds(static_cast<std::int64_t>(counts.total_ns)));
  out.emit(kLatency({.time = now, .cgroup_id = key.cgroup_id, .event_class = TAPIO_BULK},
                    address_of(key, out.arena()), known(key.server_port), known(key.cgroup_id),
                    window, histogram.count(), histogram.mean(), histogram.quantile(0.5),
                    histogram.quantile(0.9), histogram.quantile(0.99), histogram.most(),
                    buckets_of(histogram, out.arena())));
}

}  // namespace

std::string LatencyNews::take(MonotonicTime now) {
  std::map<Key, tapio_dns_latency> news;
  for (const auto& [key, sums] : kernel_.read()) {
    const auto bytes = std::bit_cast<Key>(key);
    Told& told = told_.try_emplace(bytes, Told{.latest = now}).first->second;
    if (const auto fresh = difference(sums, told.sums); !is_empty(fresh)) {
      news.emplace(bytes, fresh);
      told = {.sums = sums, .latest = now};
    } else if (told.latest + kStill <= now && key.ip_version != 0) {
      kernel_.remove(key);
      told_.erase(bytes);
    }
  }
  Packer pack;
  for (const auto& [bytes, fresh] : news)
    append(pack, std::bit_cast<tapio_dns_latency_key>(bytes), fresh);
  return std::move(pack.bytes());
}

std::vector<Latency> latencies_of(std::string_view news) {
  std::vector<Latency> list;
  Unpacker unpack(news);
  while (!unpack.rest().empty() && list.size() < kMaxLatencies) {
    Latency latency;
    if (!take(unpack, latency) || is_empty(latency.counts)) break;
    list.push_back(latency);
  }
  return list;
}

void Latencies::on_tick(MonotonicTime now, Output& out) {
  if (since_.count() == 0) since_ = now;
  if (now < since_ + interval_) return;
  const auto news = outside_->ask("dns: latency", [&] { return news_.take(now); });
  for (const Latency& latency : latencies_of(news)) tell(latency, now, now - since_, out);
  since_ = now;
}

}  // namespace tapio::dns
