// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <string_view>
#include <vector>

#include "enrich/world.hpp"
#include "evaluate/engine.hpp"

// Facts by hand, for tests of what stories are made of.
namespace tapio {

// What the facts say, with what a test says of cgroups, changes and blind spots.
class StagedWorld final : public World {
 public:
  [[nodiscard]] const Process* process(ProcessId id) const override { return known.process(id); }
  [[nodiscard]] const Process* process(std::uint32_t pid) const override {
    return known.process(pid);
  }
  [[nodiscard]] std::vector<const Process*> ancestors(ProcessId id) const override {
    return known.ancestors(id);
  }
  [[nodiscard]] MonotonicTime watching_since() const override { return known.watching_since(); }
  [[nodiscard]] const Cgroup* cgroup(std::uint64_t id) const override {
    const auto found = cgroups.find(id);
    return found == cgroups.end() ? nullptr : &found->second;
  }
  [[nodiscard]] const Container* container(std::string_view id) const override {
    return known.container(id);
  }
  [[nodiscard]] std::vector<MemoryPoint> memory(std::uint64_t) const override { return points; }
  [[nodiscard]] std::vector<Change> changes(std::uint64_t cgroup_id, MonotonicTime from,
                                            MonotonicTime to) const override {
    std::vector<Change> list;
    for (const Change& change : all_changes)
      if (change.cgroup_id == cgroup_id && change.time >= from && change.time <= to)
        list.push_back(change);
    return list;
  }
  [[nodiscard]] std::optional<NameOf> name_of(const IpAddress& address, ProcessId process,
                                              std::uint64_t cgroup_id,
                                              MonotonicTime now) const override {
    return known.name_of(address, process, cgroup_id, now);
  }
  [[nodiscard]] const std::vector<std::string>& blind_spots() const override { return blind; }
  [[nodiscard]] std::vector<CgroupMemory> readings(std::uint64_t) const override { return pressed; }
  [[nodiscard]] std::vector<NodePressure> node() const override { return node_pressed; }

  KnownWorld known;
  std::map<std::uint64_t, Cgroup> cgroups;
  std::vector<MemoryPoint> points;
  std::vector<CgroupMemory> pressed;
  std::vector<NodePressure> node_pressed;
  std::vector<Change> all_changes;
  std::vector<std::string> blind;
};

inline constexpr ProcessId kInit{1, 1}, kSshd{640, 20}, kBash{700, 30}, kNginx{900, 50},
    kKill{812, 60};
inline constexpr MonotonicTime kT = std::chrono::seconds(1000);  // when it happens

inline SignalSent shot(MonotonicTime time, ProcessId sender, ProcessId target, std::int32_t signal,
                       std::uint64_t evidence = 0) {
  SignalSent fact;
  fact.time = time;
  fact.evidence = {1, evidence};
  fact.sender = sender;
  fact.sender_name = sender ? "thread" : "";
  fact.target = target;
  fact.target_name = "thread";
  fact.signal = signal;
  fact.by = SignalClass::user;
  fact.lethal = true;
  return fact;
}
// One that the target has a handler for.
inline SignalSent caught(MonotonicTime time, ProcessId sender, ProcessId target,
                         std::int32_t signal, std::uint64_t evidence = 0) {
  auto fact = shot(time, sender, target, signal, evidence);
  fact.lethal = false;
  return fact;
}
inline SignalSent by_kernel(MonotonicTime time, ProcessId target, std::int32_t signal,
                            std::uint64_t evidence = 0) {
  auto fact = shot(time, {}, target, signal, evidence);
  fact.by = SignalClass::kernel;
  return fact;
}

inline ProcessExited death(ProcessId id, std::int32_t signal) {
  ProcessExited fact;
  fact.time = kT;
  fact.process = id;
  fact.signal = signal;
  fact.name = "leaving";
  return fact;
}

// A machine with systemd, sshd, bash and nginx, that have run since 500 s.
class Incident : public testing::Test {
 protected:
  Incident() { world.known.watching(std::chrono::seconds(1)); }

  virtual void take(const Fact& fact) = 0;
  // What has settled by then is in `told`.
  virtual void settle(MonotonicTime now = kT + std::chrono::seconds(2)) = 0;

  void begin() {
    start(kInit, {}, "systemd");
    start(kSshd, kInit, "sshd");
    start(kBash, kSshd, "bash");
    start(kNginx, kInit, "nginx");
  }
  void hand(const Fact& fact) {
    world.known.apply(fact);
    take(fact);
  }
  void start(ProcessId id, ProcessId parent, std::string_view name,
             MonotonicTime time = std::chrono::seconds(500), std::uint64_t pid_namespace = 1,
             std::uint32_t virtual_pid = 0, std::uint64_t cgroup_id = 0) {
    hand(ProcessStarted{.time = time,
                        .process = id,
                        .parent = parent,
                        .virtual_pid = virtual_pid ? virtual_pid : id.pid,
                        .pid_namespace = pid_namespace,
                        .cgroup_id = cgroup_id,
                        .name = name});
    ProcessExecuted ran;
    ran.time = time;
    ran.process = id;
    ran.name = name;
    ran.cgroup_id = cgroup_id;
    world.known.apply(ran);
  }
  // One that goes on under the name of its parent, whatever it calls itself.
  void fork(ProcessId id, ProcessId parent, std::string_view name,
            MonotonicTime time = std::chrono::seconds(500)) {
    hand(ProcessStarted{.time = time, .process = id, .parent = parent, .name = name});
  }
  void exec(ProcessId id, std::string_view name, MonotonicTime time, std::uint64_t evidence,
            std::uint64_t cgroup_id = 0) {
    ProcessExecuted fact;
    fact.time = time;
    fact.evidence = {1, evidence};
    fact.process = id;
    fact.cgroup_id = cgroup_id;
    fact.name = name;
    fact.executable = name;
    hand(fact);
  }
  void die(ProcessId id, std::int32_t signal, MonotonicTime time = kT, std::uint64_t evidence = 99,
           ProcessId parent = kInit, std::uint64_t cgroup_id = 0) {
    hand(ProcessExited{.time = time,
                       .evidence = {1, evidence},
                       .process = id,
                       .parent = parent,
                       .cgroup_id = cgroup_id,
                       .signal = signal,
                       .name = "leaving"});
  }
  void leave(ProcessId id, std::int32_t code, MonotonicTime time = kT, ProcessId parent = kInit,
             std::uint64_t evidence = 99, std::uint64_t cgroup_id = 0) {
    hand(ProcessExited{.time = time,
                       .evidence = {1, evidence},
                       .process = id,
                       .parent = parent,
                       .cgroup_id = cgroup_id,
                       .code = code,
                       .name = "leaving"});
  }
  void lose(MonotonicTime from, MonotonicTime to, tapio_class event_class = TAPIO_CRITICAL) {
    hand(Lost{
        .from = from, .to = to, .observer = "process", .event_class = event_class, .count = 3});
  }
  // The one story there is.
  Story only(MonotonicTime now = kT + std::chrono::seconds(2)) {
    settle(now);
    EXPECT_EQ(told.size(), 1u);
    return told.empty() ? Story{} : told.front();
  }

  StagedWorld world;
  Rule::Tell told;
};

// With the engine and some rules.
class IncidentInEngine : public Incident {
 protected:
  explicit IncidentInEngine(std::span<const RuleDescriptor* const> rules)
      : stories(rules,
                {.told =
                     [this](const Story& story) {
                       told.push_back(story);
                       return RecordId{2, told.size()};
                     },
                 .suppressed = [](const Lost&) {},
                 .amended = [this](RecordId id,
                                   const Story& story) { amended.emplace_back(id, story); }}) {
    begin();
  }
  void take(const Fact& fact) override { stories.on_fact(fact, world); }
  void settle(MonotonicTime now = kT + std::chrono::seconds(2)) override {
    stories.on_time(now, world);
  }

  std::vector<std::pair<RecordId, Story>> amended;
  Stories stories;
};

}  // namespace tapio
