// SPDX-License-Identifier: Apache-2.0
#include "cgroup_figures.hpp"

#include <algorithm>
#include <cmath>
#include <initializer_list>

#include "decode/words.hpp"

namespace tapio::container {
namespace {

constexpr std::uint64_t kWhole = 10'000;  // hundredths of a percent
constexpr std::uint64_t kMostNs = static_cast<std::uint64_t>(kLatestTime.count());

struct Key {
  std::string_view name;
  std::optional<std::uint64_t>* value;
};

// Lines of a name and a number ("flat keyed", Documentation/admin-guide/cgroup-v2.rst).
void take_keys(std::string_view text, std::initializer_list<Key> keys) {
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size());
    auto line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    const auto name = proc::word(line);
    for (const Key& key : keys)
      if (std::uint64_t value = 0; name == key.name && proc::number(proc::word(line), value))
        *key.value = value;
  }
}

// "42.31" in hundredths.
std::optional<std::uint64_t> hundredths(std::string_view text) {
  const auto dot = text.find('.');
  std::uint64_t whole = 0, part = 0;
  if (dot == text.npos || text.size() != dot + 3 || !proc::number(text.substr(0, dot), whole) ||
      !proc::number(text.substr(dot + 1), part) || whole > 100)
    return std::nullopt;
  return std::min(whole * 100 + part, kWhole);
}

// "avg10=42.31": what follows the name.
std::optional<std::string_view> after(std::string_view word, std::string_view name) {
  if (!word.starts_with(name)) return std::nullopt;
  return word.substr(name.size());
}

// One line of a pressure file, behind its first word.
bool parse_stall(std::string_view line, double& percent, std::chrono::nanoseconds& total) {
  bool has_average = false, has_total = false;
  for (auto word = proc::word(line); !word.empty(); word = proc::word(line)) {
    if (const auto text = after(word, "avg10=")) {
      const auto value = hundredths(*text);
      if (!value) return false;
      percent = static_cast<double>(*value) / 100;
      has_average = true;
    }
    if (const auto text = after(word, "total=")) {
      std::uint64_t us = 0;
      if (!proc::number(*text, us) || us > kMostNs / 1000) return false;
      total = std::chrono::microseconds(us);
      has_total = true;
    }
  }
  return has_average && has_total;
}

std::uint64_t add(std::uint64_t a, std::uint64_t b) {
  return a > UINT64_MAX - b ? UINT64_MAX : a + b;
}

}  // namespace

void Figures::pack(Packer& pack) const {
  for (const auto& value : values_) {
    pack(value.has_value());
    if (value) pack(*value);
  }
}

void Figures::unpack(Unpacker& unpack) {
  for (auto& value : values_) {
    bool known = false;
    value.reset();
    if (unpack(known); known) unpack(value.emplace());
  }
}

std::optional<Pressure> parse_pressure(std::string_view text) {
  Pressure pressure;
  bool some = false;
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size());
    auto line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    const auto which = proc::word(line);
    if (which == "some") {
      if (!parse_stall(line, pressure.some, pressure.some_total)) return std::nullopt;
      some = true;
    } else if (which == "full") {
      if (!parse_stall(line, pressure.full, pressure.full_total)) return std::nullopt;
    }
  }
  return some ? std::optional(pressure) : std::nullopt;
}

void take_pressure(std::string_view text, Figures& out) {
  const auto pressure = parse_pressure(text);
  if (!pressure) return;
  const auto percent = [](double value) {
    return static_cast<std::uint64_t>(std::lround(value * 100));
  };
  const auto us = [](std::chrono::nanoseconds time) {
    return static_cast<std::uint64_t>(time / std::chrono::microseconds(1));
  };
  out[Figure::some] = percent(pressure->some);
  out[Figure::full] = percent(pressure->full);
  out[Figure::some_total] = us(pressure->some_total);
  out[Figure::full_total] = us(pressure->full_total);
}

void take_memory_events(std::string_view text, Figures& out) {
  take_keys(text, {{"high", &out[Figure::high]},
                   {"max", &out[Figure::max]},
                   {"oom", &out[Figure::oom]},
                   {"oom_kill", &out[Figure::oom_kill]}});
}

void take_oom_control(std::string_view text, Figures& out) {
  take_keys(text, {{"oom_kill", &out[Figure::oom_kill]}});
}

void take_memory_stat_v2(std::string_view text, Figures& out) {
  std::optional<std::uint64_t> inactive, active, slab;
  take_keys(text, {{"inactive_file", &inactive},
                   {"active_file", &active},
                   {"slab_reclaimable", &slab},
                   {"pgscan", &out[Figure::scanned]}});
  if (!inactive) return;
  out[Figure::inactive_file] = inactive;
  out[Figure::reclaimable] = add(add(*inactive, active.value_or(0)), slab.value_or(0));
}

void take_memory_stat_v1(std::string_view text, Figures& out) {
  std::optional<std::uint64_t> inactive, active, memory, both;
  take_keys(text, {{"total_inactive_file", &inactive},
                   {"total_active_file", &active},
                   {"total_swap", &out[Figure::swap]},
                   {"hierarchical_memory_limit", &memory},
                   {"hierarchical_memsw_limit", &both}});
  if (!inactive) return;
  out[Figure::inactive_file] = inactive;
  out[Figure::reclaimable] = add(*inactive, active.value_or(0));
  if (!memory || !both) return;
  out[Figure::swap_max] = *both >= kMostOfV1 ? kNoLimit : *both - std::min(*memory, *both);
}

// v2 tells microseconds, v1 nanoseconds.
void take_cpu_stat(std::string_view text, Figures& out) {
  std::optional<std::uint64_t> us;
  take_keys(text, {{"nr_periods", &out[Figure::periods]},
                   {"nr_throttled", &out[Figure::throttled]},
                   {"throttled_time", &out[Figure::throttled_ns]},
                   {"throttled_usec", &us}});
  if (us && *us <= kMostNs / 1000) out[Figure::throttled_ns] = *us * 1000;
}

CgroupMemory memory_of(const Figures& figures) {
  using enum Figure;
  CgroupMemory memory{.usage = figures[memory_usage].value_or(0), .max = figures.limit(memory_max)};
  memory.inactive_file = figures[inactive_file];
  memory.reclaimable = figures[reclaimable];
  memory.swap = figures[swap];
  memory.swap_max = figures[swap_max];
  memory.scanned = figures[scanned];
  memory.high = figures[high];
  memory.hits = figures[max];
  memory.oom = figures[oom];
  memory.oom_kills = figures[oom_kill];
  if (figures[some]) {
    const auto percent = [&](Figure figure) {
      return static_cast<double>(std::min(figures[figure].value_or(0), kWhole)) / 100;
    };
    const auto time = [&](Figure figure) {
      return std::chrono::microseconds(std::min(figures[figure].value_or(0), kMostNs / 1000));
    };
    memory.pressure = Pressure{.some = percent(some),
                               .full = percent(full),
                               .some_total = time(some_total),
                               .full_total = time(full_total)};
  }
  if (figures[periods])
    memory.cpu = CpuThrottling{
        .periods = *figures[periods],
        .throttled = figures[throttled].value_or(0),
        .time = std::chrono::nanoseconds(std::min(figures[throttled_ns].value_or(0), kMostNs))};
  return memory;
}

}  // namespace tapio::container
