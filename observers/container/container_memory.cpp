// SPDX-License-Identifier: Apache-2.0
#include "container_memory.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "container_memory_schemas.hpp"
#include "container_names.hpp"
#include "facts/place.hpp"

namespace tapio::container {
namespace {

Value value(const std::optional<std::uint64_t>& number) {
  return number ? Value{*number} : Value{};
}

Value limit_value(std::uint64_t limit) {
  return limit == kNoLimit ? Value{} : Value{limit};
}

Value some(const std::optional<Pressure>& pressure) {
  return pressure ? Value{pressure->some} : Value{};
}

Value full(const std::optional<Pressure>& pressure) {
  return pressure ? Value{pressure->full} : Value{};
}

Value stalled(const std::optional<Pressure>& pressure) {
  return pressure ? Value{pressure->some_total} : Value{};
}

Value size_value(std::uint64_t bytes) {
  return bytes == 0 ? Value{} : Value{bytes};
}

Origin origin_of(const CgroupMemory& reading) {
  return {.time = reading.time, .cgroup_id = reading.cgroup_id};
}

double mib(double bytes) {
  return bytes / (1 << 20);
}

std::string seconds(std::chrono::nanoseconds time) {
  return fmt::format("{:.0f} s", std::chrono::duration<double>(time).count());
}

// What it does not know is as it was before.
CgroupMemory with(CgroupMemory now, const CgroupMemory& before) {
  const auto keep = [](auto& value, const auto& old) {
    if (!value) value = old;
  };
  keep(now.inactive_file, before.inactive_file);
  keep(now.reclaimable, before.reclaimable);
  keep(now.swap, before.swap);
  keep(now.swap_max, before.swap_max);
  keep(now.scanned, before.scanned);
  keep(now.high, before.high);
  keep(now.hits, before.hits);
  keep(now.oom, before.oom);
  keep(now.oom_kills, before.oom_kills);
  keep(now.pressure, before.pressure);
  keep(now.cpu, before.cpu);
  return now;
}

std::uint64_t working_set(const CgroupMemory& reading) {
  return reading.usage - std::min(reading.usage, reading.inactive_file.value_or(0));
}

// What is under pressure goes first, then what is nearest to its limit.
double rank(const CgroupMemory& reading) {
  const double waits = reading.pressure ? reading.pressure->some / 100 : 0;
  if (reading.max == kNoLimit || reading.max == 0) return waits;
  return waits + static_cast<double>(working_set(reading)) / static_cast<double>(reading.max);
}

Record memory_record(const CgroupMemory& reading, Output& out) {
  const Names names = names_of(reading.cgroup_id, out);
  const auto set = working_set(reading);
  const bool limited = reading.max != kNoLimit && reading.inactive_file;
  const auto& cpu = reading.cpu;
  return kMemory(
      origin_of(reading), reading.cgroup_id, names.container, names.runtime, names.pod, names.qos,
      names.unit, names.user_unit, reading.usage, reading.inactive_file ? Value{set} : Value{},
      limited ? Value{reading.max - std::min(reading.max, set)} : Value{}, limit_value(reading.max),
      value(reading.swap), value(reading.hits), value(reading.high), value(reading.oom),
      value(reading.oom_kills), value(reading.scanned), some(reading.pressure),
      full(reading.pressure), stalled(reading.pressure), cpu ? Value{cpu->periods} : Value{},
      cpu ? Value{cpu->throttled} : Value{}, cpu ? Value{cpu->time} : Value{}, names.path);
}

std::string summary_of(const Forecast& forecast, const std::string& entity) {
  return fmt::format(
      "{} will have used up its memory limit in {} ({} to {}): {:.1f} MiB of {:.1f} MiB cannot be "
      "given back, and that grows by {:.1f} MiB/s, by {} readings in {}",
      entity, seconds(forecast.left), seconds(forecast.earliest), seconds(forecast.latest),
      mib(static_cast<double>(forecast.load)), mib(static_cast<double>(forecast.capacity)),
      mib(forecast.slope), forecast.readings, seconds(forecast.over));
}

}  // namespace

MemoryReports::Known& MemoryReports::know(std::uint64_t cgroup_id) {
  if (cgroups_.size() >= kMaxCgroups && !cgroups_.find(cgroup_id)) evicted_++;
  return cgroups_.use(cgroup_id);
}

void MemoryReports::take(const NodePressure& reading, Output& out) {
  node_ = reading;
  out.publish(reading);
}

void MemoryReports::take(CgroupMemory reading, Output& out) {
  Known& known = know(reading.cgroup_id);
  const bool killed =
      reading.oom_kills && known.latest.oom_kills && *reading.oom_kills > *known.latest.oom_kills;
  if (killed) reading.evidence = out.next_id();
  out.publish(reading);
  if (killed) tell_kill(known.latest, reading, node_, out);
  known.latest = with(reading, known.latest);
  known.fresh = true;
  if (config_.forecast) predict(known, reading, out);
}

void MemoryReports::tell_kill(const CgroupMemory& before, const CgroupMemory& now,
                              const NodePressure& node, Output& out) {
  const Names names = names_of(now.cgroup_id, out);
  out.emit(kOomKill(origin_of(now), now.cgroup_id, names.container, names.runtime, names.pod,
                    names.qos, names.unit, names.user_unit, *now.oom_kills - *before.oom_kills,
                    now.time - before.time, before.usage, now.usage, limit_value(now.max),
                    value(now.swap), value(now.hits), value(now.high), value(now.oom),
                    value(now.oom_kills), some(before.pressure), full(before.pressure),
                    stalled(before.pressure), some(node.memory), full(node.memory),
                    size_value(node.memory_available), names.path));
}

void MemoryReports::predict(Known& known, const CgroupMemory& reading, Output& out) {
  const auto news = known.forecaster.take(reading, node_.swap_free);
  if (news.predicted) {
    known.told_since = reading.time;
    tell_prediction(known.forecaster.forecast(), reading, out);
  }
  if (news.ended != ForecastEnd::none) tell_end(news.ended, known.told_since, reading, out);
}

void MemoryReports::tell_prediction(const Forecast& forecast, const CgroupMemory& reading,
                                    Output& out) {
  Arena& arena = out.arena();
  const auto entity = place_in_words(reading.cgroup_id, out.world());
  const auto detail = fmt::format("in {}, {} to {}, by {} readings in {}", seconds(forecast.left),
                                  seconds(forecast.earliest), seconds(forecast.latest),
                                  forecast.readings, seconds(forecast.over));
  out.publish(Detected{.time = reading.time,
                       .evidence = out.next_id(),
                       .what = Detection::oom_predicted,
                       .severity = Severity::warning,
                       .cgroup_id = reading.cgroup_id,
                       .count = forecast.readings,
                       .window = forecast.left,
                       .detail = arena.keep(detail)});
  const Names names = names_of(reading.cgroup_id, out);
  out.emit(kOomPredicted(
      origin_of(reading), name(Severity::warning), arena.keep(entity),
      arena.keep(summary_of(forecast, entity)),
      std::string_view("Look what in it grows: tapio query, container.memory; raise the limit if "
                       "that is as it should be."),
      std::uint64_t{forecast.readings}, forecast.over, std::span<const std::string_view>(),
      reading.cgroup_id, names.container, names.runtime, names.pod, names.qos, names.unit,
      names.user_unit, reading.usage, limit_value(reading.max), forecast.load, forecast.slope,
      forecast.left, forecast.earliest, forecast.latest, some(reading.pressure), names.path));
}

void MemoryReports::tell_end(ForecastEnd why, MonotonicTime since, const CgroupMemory& reading,
                             Output& out) {
  const Names names = names_of(reading.cgroup_id, out);
  out.emit(kPredictionEnded(origin_of(reading), reading.cgroup_id, names.container, names.runtime,
                            names.pod, names.qos, names.unit, names.user_unit, name(why),
                            reading.time - since, reading.usage, limit_value(reading.max),
                            names.path));
}

void MemoryReports::tell(MonotonicTime now, Output& out) {
  if (!config_.records || now < next_) return;
  next_ = now + config_.records_interval;
  if (node_.time.count() != 0) tell_node(now, out);
  for (const CgroupMemory* reading : chosen()) out.emit(memory_record(*reading, out));
}

std::vector<const CgroupMemory*> MemoryReports::chosen() {
  std::vector<const CgroupMemory*> list;
  for (const auto& [id, known] : cgroups_.entries())
    if (known.fresh) list.push_back(&known.latest);
  for (const CgroupMemory* each : list) cgroups_.find(each->cgroup_id)->fresh = false;
  std::ranges::stable_sort(list, std::ranges::greater(),
                           [](const auto* each) { return rank(*each); });
  list.resize(std::min<std::size_t>(list.size(), config_.largest));
  return list;
}

void MemoryReports::tell_node(MonotonicTime now, Output& out) const {
  out.emit(kNode({.time = now}, some(node_.memory), full(node_.memory), some(node_.cpu),
                 some(node_.io), full(node_.io), size_value(node_.memory_total),
                 size_value(node_.memory_available),
                 node_.swap_total != 0 ? Value{node_.swap_free} : Value{}));
}

}  // namespace tapio::container
