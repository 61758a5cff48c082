// SPDX-License-Identifier: Apache-2.0
#include "container_observer.hpp"

#include <cstring>

#include "container_names.hpp"

namespace tapio::container {
namespace {

Origin origin_of(const tapio_event_header& header) {
  return {.time = MonotonicTime(header.time_ns),
          .cgroup_id = header.cgroup_id,
          .pid = header.tgid,
          .tid = header.tid,
          .event_class = static_cast<tapio_class>(header.event_class)};
}

struct Path {
  std::string_view whole;  // "": not known
  std::string_view shown;  // with … at its end when it was cut
};

Result<Path> path_of(const wire::Sample& sample, const tapio_text& text, Arena& arena) {
  const Bytes bytes = TRY(wire::slice(sample, text.offset, text.size));
  const auto path = arena.keep(wire::chars(bytes));
  if (text.original <= text.size) return Path{path, path};
  return Path{{}, arena.keep(std::string(path) + "…")};
}

Value known(std::string_view text, Arena& arena) {
  return text.empty() ? Value{} : Value{arena.keep(text)};
}

Value limit_value(std::uint64_t limit) {
  return limit == kNoLimit ? Value{} : Value{limit};
}

}  // namespace

Status ContainerObserver::on_sample(const wire::Sample& sample, Output& out) {
  switch (sample.header.kind) {
    case TAPIO_CONTAINER_CREATED:
      return on_created(sample, out);
    case TAPIO_CONTAINER_REMOVED:
      return on_removed(sample, out);
    case TAPIO_CONTAINER_MOVED:
      return on_moved(sample, out);
    default:
      return invalid("container: unknown kind");
  }
}

Status ContainerObserver::on_created(const wire::Sample& sample, Output& out) {
  const auto e = TRY(wire::event<tapio_container_cgroup>(sample, TAPIO_CONTAINER_CREATED_VERSION));
  const Path path = TRY(path_of(sample, e.path, out.arena()));
  const Origin origin = origin_of(e.header);
  out.publish(CgroupCreated{.time = origin.time,
                            .evidence = out.next_id(),
                            .cgroup_id = e.cgroup_id,
                            .path = path.whole});
  const Names its = names_of(e.cgroup_id, out);
  hand_out(kCreated(origin, e.cgroup_id, its.container, its.runtime, its.pod, its.qos, its.unit,
                    its.user_unit, known(path.shown, out.arena())),
           out);
  return {};
}

Status ContainerObserver::on_removed(const wire::Sample& sample, Output& out) {
  const auto e = TRY(wire::event<tapio_container_cgroup>(sample, TAPIO_CONTAINER_REMOVED_VERSION));
  const Path path = TRY(path_of(sample, e.path, out.arena()));
  const Origin origin = origin_of(e.header);
  out.publish(CgroupRemoved{.time = origin.time,
                            .evidence = out.next_id(),
                            .cgroup_id = e.cgroup_id,
                            .path = path.whole});
  const Cgroup* cgroup = out.world().cgroup(e.cgroup_id);
  const bool began = cgroup && cgroup->created.count() > 0 && cgroup->created <= origin.time;
  const Names its = names_of(e.cgroup_id, out);
  hand_out(kRemoved(origin, e.cgroup_id, its.container, its.runtime, its.pod, its.qos, its.unit,
                    its.user_unit, began ? Value{origin.time - cgroup->created} : Value{},
                    known(path.shown, out.arena())),
           out);
  return {};
}

Status ContainerObserver::on_moved(const wire::Sample& sample, Output& out) {
  const auto e = TRY(wire::event<tapio_container_move>(sample, TAPIO_CONTAINER_MOVED_VERSION));
  const Origin origin = origin_of(e.header);
  const ProcessId process{e.tgid, ticks_of(e.start_ns)};
  const Process* moved = out.world().process(process);
  const std::uint64_t from = moved ? moved->cgroup_id : 0;
  Arena& arena = out.arena();
  out.publish(ProcessMoved{.time = origin.time,
                           .evidence = out.next_id(),
                           .process = process,
                           .from = from,
                           .to = e.cgroup_id,
                           .by = {e.header.tgid, ticks_of(e.caller_start_ns)}});
  Origin to = origin;
  to.cgroup_id = e.cgroup_id;
  hand_out(kMoved(to, std::uint64_t{e.tgid}, arena.keep({e.comm, ::strnlen(e.comm, sizeof e.comm)}),
                  names_of(from, out).path),
           out);
  return {};
}

// State has been applied: the rate is only about what consumers get.
void ContainerObserver::hand_out(const Record& record, Output& out) {
  if (rate_.admit(record.origin.time))
    out.emit(record);
  else
    out.withhold(record, Withheld::rate_limited);
}

void ContainerObserver::on_fact(const Fact& fact, Output& out) {
  std::visit([&](const auto& known) { follow(known, out); }, fact);
  if (const auto* created = std::get_if<CgroupCreated>(&fact)) open_watch(created->time);
  if (!watch_) return;
  if (const auto* created = std::get_if<CgroupCreated>(&fact)) watch_->add(*created);
  if (const auto* removed = std::get_if<CgroupRemoved>(&fact)) {
    watch_->remove(removed->cgroup_id);
    memory_.forget(removed->cgroup_id);
  }
}

// Cgroups that somebody found are mounted: those of the walk come one after the other.
void ContainerObserver::open_watch(MonotonicTime now) {
  if (watch_ || !open_ || now < try_again_) return;
  try_again_ = now + kTryAgain;
  watch_ = open_(config_);
}

void ContainerObserver::on_tick(MonotonicTime now, Output& out) {
  if (node_ && config_.memory) memory_.take(node_->read(now), out);
  if (!watch_) return;
  const auto readings = watch_->tick(now, out.world());
  for (const CgroupMemory& reading : readings.memory) memory_.take(reading, out);
  for (const auto& looked : readings.looked) publish(looked, now, out);
  memory_.tell(now, out);
  for (CgroupLimitChanged change : readings.changes) {
    change.evidence = out.next_id();
    out.publish(change);
    const Names its = names_of(change.cgroup_id, out);
    hand_out(kLimitChanged({.time = now, .cgroup_id = change.cgroup_id}, change.cgroup_id,
                           its.container, its.runtime, its.pod, its.qos, its.unit, its.user_unit,
                           change.limit, limit_value(change.before), limit_value(change.after),
                           change.since, its.path),
             out);
  }
}

void ContainerObserver::publish(const Watch::Looked& looked, MonotonicTime now, Output& out) {
  std::vector<CgroupConsumers::Task> tasks;
  for (const Consumer& each : looked.consumers.largest)
    tasks.push_back({.pid = each.pid, .rss = each.rss, .name = out.arena().keep(each.name)});
  out.publish(
      CgroupConsumers{.time = now,
                      .cgroup_id = looked.cgroup_id,
                      .tasks = out.arena().keep(std::span<const CgroupConsumers::Task>(tasks)),
                      .seen = looked.consumers.seen});
}

void ContainerObserver::on_settings(const config::Section& settings) {
  config_ = settings.as<Config>();
  rate_.set_rate(config_.rate_per_second);
  if (watch_) watch_->configure(config_);
  memory_.configure(config_);
}

}  // namespace tapio::container
