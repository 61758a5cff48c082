// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "enrich/cgroups.hpp"
#include "enrich/changes.hpp"
#include "enrich/containers.hpp"
#include "enrich/memory_history.hpp"
#include "enrich/processes.hpp"
#include "enrich/resolved_names.hpp"

namespace tapio {

// The World, made of the facts that observers publish. One thread uses it.
class KnownWorld final : public World {
 public:
  explicit KnownWorld(ProcessLimits limits = {}) : processes_(limits) {}

  // Before anybody else gets the fact.
  void apply(const Fact& fact);
  // Once a second or so: lets go of what is long over, also when nothing happens.
  void on_time(MonotonicTime now);
  void spare_memory(bool is_short) { processes_.spare_memory(is_short); }

  // The programs are attached: from now on nothing of the `state` class is missed.
  void watching(MonotonicTime since) { since_ = since; }

  // Records of the `state` class were lost: what is known is to be compared with /proc, by
  // begin_resync(), seen() for each process there, end_resync().
  [[nodiscard]] bool wants_resync() const { return wants_resync_; }
  void begin_resync(MonotonicTime now);
  void seen(const ProcessExecuted& snapshot) {
    processes_.seen(snapshot);
    changes_.seen(snapshot, *this);
  }
  void end_resync(Coverage coverage) { processes_.end_resync(coverage); }

  // Likewise of cgroups: begin_cgroup_walk(), a CgroupCreated without evidence for each directory,
  // and, if all were found, end_cgroup_walk().
  [[nodiscard]] bool wants_cgroup_walk() const { return wants_cgroup_walk_; }
  void begin_cgroup_walk(MonotonicTime now);
  void end_cgroup_walk(MonotonicTime now) { cgroups_.end_walk(now); }

  [[nodiscard]] const Process* process(ProcessId id) const override { return processes_.find(id); }
  [[nodiscard]] const Process* process(std::uint32_t pid) const override {
    return processes_.find(pid);
  }
  [[nodiscard]] std::vector<const Process*> ancestors(ProcessId id) const override;
  [[nodiscard]] MonotonicTime watching_since() const override { return since_; }
  [[nodiscard]] const Cgroup* cgroup(std::uint64_t id) const override { return cgroups_.find(id); }
  [[nodiscard]] const Container* container(std::string_view id) const override {
    return containers_.find(id);
  }
  // Until when its description may come; nothing: it will not.
  [[nodiscard]] std::optional<MonotonicTime> awaited_until(std::string_view container_id) const {
    return containers_.awaited_until(container_id);
  }
  [[nodiscard]] std::vector<MemoryPoint> memory(std::uint64_t cgroup_id) const override {
    return memory_.of(cgroup_id);
  }
  [[nodiscard]] std::vector<CgroupMemory> readings(std::uint64_t cgroup_id) const override {
    return memory_.readings(cgroup_id);
  }
  [[nodiscard]] std::vector<NodePressure> node() const override { return memory_.node(); }
  [[nodiscard]] std::vector<Change> changes(std::uint64_t cgroup_id, MonotonicTime from,
                                            MonotonicTime to) const override {
    return changes_.of(cgroup_id, from, to, *this);
  }
  [[nodiscard]] std::optional<NameOf> name_of(const IpAddress& address, ProcessId process,
                                              std::uint64_t cgroup_id,
                                              MonotonicTime now) const override {
    return names_.get(address, process, cgroup_id, now);
  }
  [[nodiscard]] const std::vector<std::string>& blind_spots() const override { return blind_; }
  void set_blind_spots(std::vector<std::string> sentences) { blind_ = std::move(sentences); }
  [[nodiscard]] std::vector<const Process*> living(std::size_t most) const {
    return processes_.living(most);
  }
  [[nodiscard]] Processes::Stats stats() const { return processes_.stats(); }
  [[nodiscard]] Containers::Stats container_stats() const { return containers_.stats(); }
  [[nodiscard]] Cgroups::Stats cgroup_stats() const { return cgroups_.stats(); }
  [[nodiscard]] ResolvedNames::Stats name_stats() const { return names_.stats(); }

 private:
  void on(const ProcessStarted& fact) { processes_.started(fact); }
  void on(const ProcessExecuted& fact) { processes_.executed(fact); }
  void on(const ProcessExited& fact) { processes_.exited(fact); }
  void on(const SignalSent& fact) { processes_.signaled(fact); }
  void on(const CredentialsChanged& fact) { processes_.credentials_changed(fact); }
  void on(const CgroupCreated& fact) { cgroups_.created(fact); }
  void on(const CgroupRemoved& fact) { cgroups_.removed(fact); }
  void on(const ProcessMoved& fact) { processes_.moved(fact); }
  void on(const ContainerDescribed& fact) { containers_.described(fact); }
  void on(const ContainerAwaited& fact) { containers_.awaited(fact); }
  void on(const ContainerUnnamed& fact) { containers_.unnamed(fact); }
  void on(const CgroupMemory& fact) { memory_.add(fact); }
  void on(const NodePressure& fact) { memory_.add(fact); }
  void on(const NameResolved& fact) { names_.set(fact); }
  void on(const Lost& fact);
  void on(const auto&) {}

  Processes processes_;
  Cgroups cgroups_;
  Containers containers_;
  MemoryHistory memory_;
  ResolvedNames names_;
  MonotonicTime since_{};
  bool wants_resync_ = false;
  Changes changes_;
  bool wants_cgroup_walk_ = true;  // at the start nothing is known
  std::vector<std::string> blind_;
};

}  // namespace tapio
