// SPDX-License-Identifier: Apache-2.0
#include "usage_observer.hpp"

#include <algorithm>
#include <set>
#include <utility>

#include "decode/proc_stat.hpp"
#include "usage_schemas.hpp"

namespace tapio::usage {

namespace {

double seconds(std::chrono::nanoseconds duration) {
  return std::chrono::duration<double>(duration).count();
}

// The keys of the largest by CPU time and of the largest by memory, of those that have any.
template <typename Key, typename Used>
std::set<Key> largest(const std::map<Key, Used>& all, std::size_t count) {
  std::vector<const std::pair<const Key, Used>*> order;
  for (const auto& each : all) order.push_back(&each);
  std::set<Key> keys;
  const auto add = [&](auto used) {
    std::ranges::stable_sort(order, std::ranges::greater(), used);
    for (std::size_t i = 0; i < std::min(count, order.size()) && used(order[i]) > 0; ++i)
      keys.insert(order[i]->first);
  };
  add([](const auto* each) { return each->second.cpus; });
  add([](const auto* each) { return each->second.bytes; });
  keys.erase(Key{});  // nobody in particular
  return keys;
}

}  // namespace

UsageObserver::Used& UsageObserver::Used::operator+=(const Used& other) {
  processes += other.processes;
  cpus += other.cpus;
  bytes += other.bytes;
  return *this;
}

void UsageObserver::on_tick(MonotonicTime now, Output& out) {
  if (!under_way_) {
    if (now < next_round_) return;
    left_ = files_.processes();
    under_way_ = true;
    next_round_ = now + config_.interval;
  }
  const auto count = std::min<std::size_t>(left_.size(), config_.processes_per_second);
  const auto next = std::span(left_).last(count);
  for (const Reading& reading : files_.read(next)) take(reading, now, out.world());
  left_.resize(left_.size() - count);
  if (left_.empty()) tell(now, out);
}

void UsageObserver::take(const Reading& reading, MonotonicTime now, const World& world) {
  const ProcessId id{reading.pid, reading.start_ticks};
  const Process* process = world.process(id);
  const Used used{
      .processes = 1, .cpus = cpus_of(reading, now), .bytes = reading.resident_pages * page_bytes_};
  by_program_[reading.name] += used;
  by_cgroup_[process ? process->cgroup_id : 0] += used;
  now_[id] = {reading.cpu_ticks, now};
}

// One that was not there in the round before has begun since: all its time is of this interval.
double UsageObserver::cpus_of(const Reading& reading, MonotonicTime now) const {
  if (told_.count() == 0) return 0;
  const auto found = before_.find({reading.pid, reading.start_ticks});
  const Seen before = found == before_.end() ? Seen{.time = told_} : found->second;
  if (now <= before.time || reading.cpu_ticks < before.cpu_ticks) return 0;
  const auto ticks = static_cast<double>(reading.cpu_ticks - before.cpu_ticks);
  return ticks / static_cast<double>(proc::kTicksPerSecond) / seconds(now - before.time);
}

// The first round is what the next one is compared with.
void UsageObserver::tell(MonotonicTime now, Output& out) {
  const auto programs = std::exchange(by_program_, {});
  const auto cgroups = std::exchange(by_cgroup_, {});
  before_ = std::exchange(now_, {});
  under_way_ = false;
  const MonotonicTime began = std::exchange(told_, now);
  if (began.count() == 0 || programs.empty()) return;

  const std::chrono::nanoseconds window = now - began;
  const auto emit = [&](const auto& all, auto record_of) {
    const auto chosen = largest(all, config_.largest);
    Used others;
    for (const auto& [key, used] : all) {
      if (chosen.contains(key))
        out.emit(record_of(&key, used));
      else
        others += used;
    }
    if (others.processes > 0) out.emit(record_of(nullptr, others));
  };
  emit(programs, [&](const std::string* name, const Used& used) {
    return kProgram({.time = now}, name ? out.arena().keep(*name) : kOthers, window, used.processes,
                    used.cpus, used.bytes);
  });
  emit(cgroups, [&](const std::uint64_t* id, const Used& used) {
    const std::uint64_t known = id ? *id : 0;
    return kCgroup({.time = now, .cgroup_id = known}, known ? Value{known} : Value{}, window,
                   used.processes, used.cpus, used.bytes);
  });
}

}  // namespace tapio::usage
