// SPDX-License-Identifier: Apache-2.0
#include "oom_state.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <ranges>

#include "evaluate/pressure.hpp"
#include "evaluate/words.hpp"

namespace tapio::oom {

namespace {

// As the observer `container` predicts: below that part of the limit nothing is foretold.
constexpr double kFarBelow = 0.6;
constexpr std::size_t kFewReadings = 8;  // seven, and one more to be sure
// Several victims of one kill (memory.oom.group).
constexpr std::chrono::nanoseconds kOneKill = std::chrono::seconds(1);

std::string before(MonotonicTime read, MonotonicTime kill) {
  return in_words(kill - read) + " before the kill";
}

std::string counters(const CgroupMemory& reading) {
  std::string text;
  const auto add = [&](std::string_view what, const std::optional<std::uint64_t>& count) {
    if (count) text += fmt::format("{}{} {}", text.empty() ? "" : ", ", what, *count);
  };
  // A kernel that does not count those of memory and swap together (v1) has 0 there all the time.
  const bool counted = reading.hits.value_or(0) != 0 || reading.oom_kills.value_or(0) == 0;
  if (counted) add("limit hit", reading.hits);
  if (reading.high.value_or(0) != 0) add("slowed down above memory.high", reading.high);
  if (reading.oom.value_or(0) != 0) add("nothing to give back", reading.oom);
  add("killed", reading.oom_kills);
  return text;
}

// The first reading after the kill that has counters.
std::optional<CgroupMemory> reading_after(std::uint64_t cgroup_id, MonotonicTime time,
                                          const World& world) {
  for (const CgroupMemory& reading : world.readings(cgroup_id))
    if (reading.time > time && reading.oom_kills) return reading;
  return std::nullopt;
}

void add_cgroup(Story& story, const Scope& scope, const CgroupMemory& reading, MonotonicTime kill) {
  auto text = fmt::format("{}: {} used {}", before(reading.time, kill), scope.name(),
                          size_in_words(reading.usage));
  if (reading.reclaimable)
    text += fmt::format(", {} of it page cache and slab that can be given back",
                        size_in_words(std::min(*reading.reclaimable, reading.usage)));
  if (reading.swap && *reading.swap != 0)
    text += fmt::format(", and {} of swap", size_in_words(*reading.swap));
  if (const auto list = counters(reading); !list.empty()) text += "; its counters: " + list;
  story.chain.push_back(text + " (files of the cgroup)");
  if (reading.pressure)
    story.chain.push_back(fmt::format(
        "tasks of {} waited for memory {:.1f} % of the 10 s, all at once {:.1f} %, {} since it was "
        "made (PSI, {})",
        scope.name(), reading.pressure->some, reading.pressure->full,
        in_words(reading.pressure->some_total), before(reading.time, kill)));
}

void add_node(Story& story, const NodePressure& node, MonotonicTime kill) {
  std::string text;
  if (node.memory_total != 0)
    text = fmt::format("the node had {} of {} available", size_in_words(node.memory_available),
                       size_in_words(node.memory_total));
  if (node.swap_total != 0) text += fmt::format(", {} of swap free", size_in_words(node.swap_free));
  if (node.memory)
    text += fmt::format(
        "{}its tasks waited for memory {:.1f} % of the 10 s, all at once {:.1f} % (PSI)",
        text.empty() ? "" : "; ", node.memory->some, node.memory->full);
  if (!text.empty()) story.chain.push_back(fmt::format("{}: {}", before(node.time, kill), text));
}

// What the kernel calls totalpages (constrained_alloc()), in bytes; 0: not known.
std::uint64_t total_of(const Scope& scope, MonotonicTime time, const World& world) {
  const auto node = node_before(time, world);
  if (scope.kind == Scope::Kind::cgroup) {
    if (!scope.memory || scope.memory->limit == kNoLimit) return 0;
    const auto memory = scope.memory->limit;
    if (!scope.swap) return memory;
    auto swap = scope.swap->limit;
    if (scope.with_memory && swap != kNoLimit) swap -= std::min(swap, memory);
    if (!node && swap != 0) return 0;
    return memory + (node ? std::min(swap, node->swap_total) : 0);
  }
  return node ? node->memory_total + node->swap_total : 0;
}

}  // namespace

void Foreseen::note(const Detected& fact) {
  if (fact.what != Detection::oom_predicted) return;
  predictions_.push_back({.time = fact.time,
                          .evidence = fact.evidence,
                          .cgroup_id = fact.cgroup_id,
                          .detail = std::string(fact.detail)});
  if (predictions_.size() > kMaxPredictions) predictions_.pop_front();
}

void Foreseen::note(const CgroupConsumers& fact) {
  Largest& largest = largest_.emplace_back();
  largest.time = fact.time;
  largest.cgroup_id = fact.cgroup_id;
  largest.seen = fact.seen;
  for (const auto& task : fact.tasks)
    largest.consumers.push_back({.pid = task.pid, .rss = task.rss, .name = std::string(task.name)});
  if (largest_.size() > kMaxLooks) largest_.pop_front();
}

const Foreseen::Prediction* Foreseen::prediction(std::uint64_t cgroup_id, MonotonicTime time) {
  for (Prediction& each : predictions_ | std::views::reverse) {
    if (each.cgroup_id != cgroup_id || each.time > time || each.time + kPredicted < time) continue;
    if (each.kill.count() != 0 && each.kill + kOneKill < time) return nullptr;
    if (each.kill.count() == 0) each.kill = time;
    return &each;
  }
  return nullptr;
}

const Foreseen::Largest* Foreseen::largest(std::uint64_t cgroup_id, MonotonicTime time) const {
  for (const Largest& each : largest_ | std::views::reverse)
    if (each.cgroup_id == cgroup_id && each.time <= time && each.time + kLooked >= time)
      return &each;
  return nullptr;
}

std::optional<Badness> badness_of(const Victim& victim, const Scope& scope, const World& world) {
  constexpr std::int32_t kNever = -1000;
  constexpr auto kMost = static_cast<std::uint64_t>(INT64_MAX) / 4;
  std::uint64_t bytes = 0;
  std::int32_t adj = 0;
  Badness badness;
  if (victim.reported && victim.reported->row) {
    const Consumer& row = *victim.reported->row;
    for (const auto part : {row.rss, row.swap, row.page_tables}) bytes += std::min(part, kMost / 4);
    adj = row.score_adj;
    badness.with_page_tables = true;
  } else if (victim.killed) {
    const OomKilled& fact = victim.killed->fact;
    for (const auto part : {fact.anon_rss, fact.file_rss, fact.shmem_rss, fact.swap})
      bytes += std::min(part, kMost / 4);
    adj = fact.score_adj;
  } else {
    return std::nullopt;
  }
  if (bytes == 0 || adj <= kNever || adj > -kNever) return std::nullopt;
  badness.bytes = static_cast<std::int64_t>(bytes);
  if (adj == 0) return badness;
  badness.total = total_of(scope, victim.time, world);
  if (badness.total == 0) return std::nullopt;
  const auto share = static_cast<double>(std::min(badness.total, kMost)) * adj / 1000;
  badness.bytes += static_cast<std::int64_t>(share);
  return badness;
}

void add_badness(Story& story, const Victim& victim, const Scope& scope, const World& world) {
  const auto badness = badness_of(victim, scope, world);
  if (!badness) return;
  const auto size = static_cast<std::uint64_t>(std::abs(badness->bytes));
  auto text =
      fmt::format("its badness was {}{}, computed as the kernel does: resident memory, {}swap",
                  badness->bytes < 0 ? "-" : "", size_in_words(size),
                  badness->with_page_tables ? "page tables, " : "");
  if (badness->total != 0)
    text += fmt::format(", and oom_score_adj thousandths of {}", size_in_words(badness->total));
  story.chain.push_back(text + (badness->with_page_tables ? "" : "; page tables are not known"));
}

void add_state(Story& story, const Victim& victim, const Scope& scope, const World& world) {
  if (scope.kind == Scope::Kind::cgroup && scope.cgroup_id != 0) {
    if (const auto reading = reading_before(scope.cgroup_id, victim.time, world)) {
      add_cgroup(story, scope, *reading, victim.time);
      if (!reading->pressure)
        story.missing.emplace_back(
            "memory pressure of the cgroup: there is none on cgroup v1, and in kernels without "
            "PSI");
    }
    if (const auto after = reading_after(scope.cgroup_id, victim.time, world)) {
      if (after->evidence != RecordId{}) story.evidence.push_back(after->evidence);
      story.chain.push_back(
          fmt::format("{} after the kill its counters were: {} (files of the cgroup)",
                      in_words(after->time - victim.time), counters(*after)));
    }
  }
  if (const auto node = node_before(victim.time, world)) add_node(story, *node, victim.time);
}

void add_prediction(Story& story, const Victim& victim, const Scope& scope, Foreseen& foreseen,
                    const World& world) {
  if (scope.kind != Scope::Kind::cgroup || scope.cgroup_id == 0) return;
  if (const auto* told = foreseen.prediction(scope.cgroup_id, victim.time)) {
    story.chain.push_back(
        fmt::format("it was predicted {}: {}", before(told->time, victim.time), told->detail));
    if (told->evidence != RecordId{}) story.evidence.push_back(told->evidence);
    return;
  }
  auto points = world.memory(scope.cgroup_id);
  std::erase_if(points, [&](const MemoryPoint& point) { return point.time > victim.time; });
  if (points.empty()) return;
  const auto is_far = [](const MemoryPoint& point) {
    return static_cast<double>(point.usage) < kFarBelow * static_cast<double>(point.max);
  };
  // The last reading may be of the step's middle.
  const bool middle = points.size() > 1 && !is_far(points.back());
  const MemoryPoint& point = middle ? points[points.size() - 2] : points.back();
  if (is_far(point))
    story.chain.push_back(fmt::format("step, no prediction: {} it used {} of {}",
                                      before(point.time, victim.time), size_in_words(point.usage),
                                      size_in_words(point.max)));
  else if (points.size() < kFewReadings)
    story.chain.push_back(
        fmt::format("no prediction: it was read only {} before the kill",
                    points.size() == 1 ? "once" : fmt::format("{} times", points.size())));
  else
    story.chain.emplace_back(
        "no prediction: its growth was too uneven, or it had been as full before");
}

}  // namespace tapio::oom
