// SPDX-License-Identifier: Apache-2.0
#include "evaluate/pressure.hpp"

#include <fmt/format.h>

#include <iterator>

#include "evaluate/words.hpp"

namespace tapio {

namespace {

bool is_recent(MonotonicTime read, MonotonicTime time) {
  return read <= time && read + kReadLately >= time;
}

bool tells_more(const CgroupMemory& reading) {
  return reading.pressure || reading.cpu || reading.hits;
}

// The first and the last of the recent readings that tell more.
struct Span {
  std::optional<CgroupMemory> first, last;
};

Span recent(std::uint64_t cgroup_id, MonotonicTime time, const World& world) {
  Span span;
  for (const CgroupMemory& reading : world.readings(cgroup_id)) {
    if (!is_recent(reading.time, time) || !tells_more(reading)) continue;
    if (!span.first) span.first = reading;
    span.last = reading;
  }
  return span;
}

std::string before(MonotonicTime read, MonotonicTime time) {
  return in_words(time - read) + " before";
}

void add_memory(std::vector<std::string>& lines, const CgroupMemory& reading, MonotonicTime time) {
  if (!reading.pressure || reading.pressure->some < kWaitsForMemory) return;
  lines.push_back(
      fmt::format("memory pressure before: tasks of the cgroup waited for memory {:.0f} % of the "
                  "last 10 s, all "
                  "of them at once {:.0f} % (PSI, {})",
                  reading.pressure->some, reading.pressure->full, before(reading.time, time)));
}

void add_hits(std::vector<std::string>& lines, const Span& span, MonotonicTime time) {
  const auto &first = *span.first, &last = *span.last;
  if (!first.hits || !last.hits || *last.hits < *first.hits + kManyHits) return;
  lines.push_back(fmt::format(
      "the cgroup came to its memory limit {} times in {} (its counter, {})",
      *last.hits - *first.hits, in_words(last.time - first.time), before(last.time, time)));
}

void add_throttling(std::vector<std::string>& lines, const Span& span, MonotonicTime time) {
  const auto &first = span.first->cpu, &last = span.last->cpu;
  if (!first || !last || last->periods <= first->periods || last->throttled < first->throttled)
    return;
  const double part = 100 * static_cast<double>(last->throttled - first->throttled) /
                      static_cast<double>(last->periods - first->periods);
  if (part < kThrottled) return;
  lines.push_back(
      fmt::format("CPU was throttled in {:.0f} % of periods, {} in all, in {} (cpu.stat, {})", part,
                  in_words(std::max(last->time - first->time, {})),
                  in_words(span.last->time - span.first->time), before(span.last->time, time)));
}

void add_node(std::vector<std::string>& lines, const NodePressure& node, MonotonicTime time) {
  std::string text;
  const auto add = [&](std::string_view what, const std::optional<Pressure>& pressure,
                       double least) {
    if (!pressure || pressure->some < least) return;
    fmt::format_to(std::back_inserter(text), "{}for {} {:.0f} %", text.empty() ? "" : ", ", what,
                   pressure->some);
  };
  add("memory", node.memory, kWaitsForMemory);
  add("a CPU", node.cpu, kWaitsForCpu);
  add("a disk", node.io, kWaitsForIo);
  if (!text.empty())
    lines.push_back(fmt::format("on the node tasks waited {} of the last 10 s (PSI, {})", text,
                                before(node.time, time)));
}

}  // namespace

std::optional<CgroupMemory> reading_before(std::uint64_t cgroup_id, MonotonicTime time,
                                           const World& world) {
  return recent(cgroup_id, time, world).last;
}

std::optional<NodePressure> node_before(MonotonicTime time, const World& world) {
  std::optional<NodePressure> found;
  for (const NodePressure& reading : world.node())
    if (is_recent(reading.time, time)) found = reading;
  return found;
}

std::vector<std::string> pressure_before(std::uint64_t cgroup_id, MonotonicTime time,
                                         const World& world) {
  std::vector<std::string> lines;
  const Span span = recent(cgroup_id, time, world);
  if (span.last) {
    add_memory(lines, *span.last, time);
    add_hits(lines, span, time);
    add_throttling(lines, span, time);
  }
  if (const auto node = node_before(time, world)) add_node(lines, *node, time);
  return lines;
}

void add_pressure(Story& story, const World& world) {
  auto lines = pressure_before(story.cgroup_id, story.time, world);
  story.chain.insert(story.chain.begin(), std::make_move_iterator(lines.begin()),
                     std::make_move_iterator(lines.end()));
}

}  // namespace tapio
