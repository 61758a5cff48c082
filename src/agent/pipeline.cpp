// SPDX-License-Identifier: Apache-2.0
#include "agent/pipeline.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <exception>
#include <utility>

#include "record/gap.hpp"

namespace tapio::agent {

Pipeline::Pipeline(const Options& options, Deliver deliver)
    : run_(options.run),
      deliver_(std::move(deliver)),
      redactor_(options.redact),
      stories_(options.rules,
               {.told = [this](const Story& story) { return add(record_of(story)); },
                .suppressed =
                    [this](const Lost& lost) {
                      on_loss({{std::string(lost.observer), std::string(name(lost.event_class)),
                                "stories", "rate_limited"},
                               lost.from,
                               lost.to,
                               lost.count});
                    },
                .amended = [this](RecordId id,
                                  const Story& story) { add_as(id, record_of(story), order_); }}) {
  untold_.reserve(kMaxUntold);  // for good: who is told a fact may publish others
}

void Pipeline::admit(const Descriptor& descriptor, std::unique_ptr<Observer> observer, Role role) {
  slices_.emplace(descriptor.id,
                  Slice{&descriptor, std::move(observer), role, &counts_[descriptor.id], {}});
}

void Pipeline::configure(std::uint8_t observer, const config::Section& settings) {
  const auto found = slices_.find(observer);
  if (found != slices_.end() && found->second.observer)
    found->second.observer->on_settings(settings);
}

std::vector<Counter> Pipeline::counters(std::uint8_t observer) const {
  const auto found = slices_.find(observer);
  if (found == slices_.end() || !found->second.observer) return {};
  return found->second.observer->counters();
}

std::optional<Remark> Pipeline::remark(std::uint8_t observer) const {
  const auto found = slices_.find(observer);
  if (found == slices_.end() || !found->second.observer) return {};
  return found->second.observer->remark();
}

std::chrono::nanoseconds Pipeline::metered(std::uint8_t observer) const {
  const auto found = slices_.find(observer);
  return found == slices_.end() ? std::chrono::nanoseconds{} : found->second.metered;
}

template <typename Work>
void Pipeline::work_for(Slice& slice, Work&& work) {
  if (!slice.observer) return;
  working_ = &slice;
  const auto began = metering_ ? monotonic_now() : MonotonicTime{};
  work(*slice.observer);
  if (metering_) slice.metered += monotonic_now() - began;
  working_ = nullptr;
}

void Pipeline::take(Bytes block) {
  Intake::each(block, [this](const wire::Sample& sample) {
    if (sample.header.event_class == TAPIO_CRITICAL) {
      urgent_ = true;
      work_on(sample, Order::in_time);
    } else {
      merge_.push(MonotonicTime(sample.header.time_ns), sample.bytes);
    }
  });
}

void Pipeline::advance(MonotonicTime watermark) {
  merge_.release(watermark, [this](Bytes bytes, bool late) {
    if (const auto sample = wire::open_sample(bytes))
      work_on(*sample, late ? Order::late : Order::in_time);
  });
  for (auto& [id, slice] : slices_)
    work_for(slice, [&](Observer& observer) { observer.on_advance(watermark, *this); });
  tell();
  stories_.on_time(watermark, world_);
  now_ = std::max(now_, watermark);
  let_go();
}

void Pipeline::work_on(const wire::Sample& sample, Order order) {
  const auto found = slices_.find(sample.header.kind >> 8);
  if (found == slices_.end()) return;  // the intake lets no other through
  auto& counts = *found->second.counts;
  if (!found->second.observer) {  // broken; what was under way is counted
    counts.handled++;
    counts.malformed++;
    return;
  }
  working_ = &found->second;
  order_ = order;
  counts.late += order == Order::late;
  const auto done = call(found->second, sample);
  working_ = nullptr;
  order_ = Order::in_time;
  counts.handled++;
  tell();
  arena_.clear();
  if (batch_->bytes() > kMaxBatchBytes) flush();
  if (done) return;
  counts.malformed++;
  if (std::uint64_t unsaid = 0; malformed_log_.due(MonotonicTime(sample.header.time_ns), unsaid))
    log::warning("{}: malformed sample dropped: {} ({} more since the last such line)",
                 found->second.descriptor->name, done.error().what, unsaid);
}

Status Pipeline::call(Slice& slice, const wire::Sample& sample) {
  const auto now = metering_ ? monotonic_now : monotonic_tick;
  const auto began = now();
  try {
    auto done = slice.observer->on_sample(sample, *this);
    const auto took = now() - began;
    slice.counts->long_calls += took > kLongCall;
    if (metering_) slice.metered += took;
    return done;
  } catch (const std::exception& e) {
    broken_[slice.descriptor->id] = fmt::format("it threw an exception: {}", e.what());
  }
  slice.observer.reset();
  return fail(Fault::broken, "exception");
}

void Pipeline::on_surplus(std::uint8_t observer, const Surplus& surplus, MonotonicTime now) {
  const auto found = slices_.find(observer);
  if (found == slices_.end()) return;
  work_for(found->second, [&](Observer& each) { each.on_surplus(surplus, now, *this); });
  tell();
}

void Pipeline::on_tick(MonotonicTime now) {
  for (auto& [id, slice] : slices_)
    work_for(slice, [&](Observer& observer) { observer.on_tick(now, *this); });
  tell();
  world_.on_time(now);
  reserve_.sweep(now);
}

void Pipeline::on_loss(const Loss& loss) {
  const auto& key = loss.key;
  const bool before_facts = key.stage == "kernel" || key.stage == "queue";
  // A run that was missed might have been of any class, so it counts as one that matters.
  const auto known_as = [&](tapio_class event_class) {
    return key.event_class == name(event_class) ||
           (key.event_class == "*" && event_class == TAPIO_CRITICAL);
  };
  for (const auto event_class : {TAPIO_STATE, TAPIO_CRITICAL, TAPIO_NORMAL, TAPIO_BULK})
    if (before_facts && known_as(event_class))
      publish(Lost{.from = loss.from,
                   .to = loss.to,
                   .observer = key.observer,
                   .event_class = event_class,
                   .count = loss.count});
  add(kGap({.time = loss.to}, arena().keep(key.observer), arena().keep(key.event_class),
           arena().keep(key.stage), arena().keep(key.reason), loss.from, loss.to, loss.count));
}

void Pipeline::publish(const Fact& fact) {
  if (untold_.size() < kMaxUntold) {
    apply(untold_.emplace_back(fact));
  } else {
    Fact last = fact;
    apply(last);
    log::error("more than {} facts of one sample: the rest is told to nobody", kMaxUntold);
  }
  if (!working_) tell();
}

void Pipeline::apply(Fact& fact) {
  if (auto* executed = std::get_if<ProcessExecuted>(&fact)) executed->args = redact(executed->args);
  if (const auto* detected = std::get_if<Detected>(&fact)) release(detected->because);
  world_.apply(fact);
  reserve_.on_fact(fact);
  // Others may tell more of who acts; names of addresses come often, and do not.
  if (!std::holds_alternative<NameResolved>(fact)) context_of_.reset();
  if (const auto* created = std::get_if<CgroupCreated>(&fact)) places_.erase(created->cgroup_id);
  if (std::holds_alternative<ContainerDescribed>(fact)) places_.clear();
  if (const auto* started = std::get_if<ProcessStarted>(&fact))
    ask_for_cgroup(started->cgroup_id, started->process.pid);
}

// Not before the record that a fact names as its evidence has got its id: a story takes one too.
// Observers may publish more meanwhile.
void Pipeline::tell() {
  std::size_t next = 0;
  while (next < untold_.size()) {
    const Fact& fact = untold_[next++];
    tell_observers(fact);
    stories_.on_fact(fact, world_);
  }
  untold_.clear();
}

void Pipeline::tell_observers(const Fact& fact) {
  const FactSet kind = FactSet{1} << fact.index();
  for (auto& [id, slice] : slices_) {
    if (!(slice.descriptor->needs & kind)) continue;
    work_for(slice, [&](Observer& observer) { observer.on_fact(fact, *this); });
  }
}

std::span<const std::string_view> Pipeline::redact(std::span<const std::string_view> args) {
  std::span<const std::string_view> clean;
  redactor_.redact_args(args, arena(), clean);
  return clean;
}

RecordId Pipeline::emit(const Record& record) {
  if (working_ && working_->role == Role::provider) return withhold(record, Withheld::filtered);
  if (working_) working_->counts->emitted[record.origin.event_class]++;
  const RecordId id = add(record);
  redactor_.redact(batch_->records.back(), batch_->arena);
  return id;
}

RecordId Pipeline::withhold(const Record& record, Withheld why) {
  const RecordId id = count_withheld(record.origin.event_class, why);
  reserve_.keep(record, id);
  return id;
}

RecordId Pipeline::withhold(const wire::Sample& sample, const Origin& origin, Withheld why) {
  const RecordId id = count_withheld(origin.event_class, why);
  reserve_.keep(sample, origin, id);
  return id;
}

RecordId Pipeline::count_withheld(tapio_class event_class, Withheld why) {
  if (working_) {
    auto& counts = *working_->counts;
    (why == Withheld::filtered ? counts.filtered : counts.rate_limited)[event_class]++;
  }
  return {run_, next_++};
}

// Nothing: the observer has thrown an exception since.
std::optional<Record> Pipeline::make(const wire::Sample& sample, Arena& arena) const {
  const auto found = slices_.find(sample.header.kind >> 8);
  if (found == slices_.end() || !found->second.observer) return {};
  return found->second.observer->make_record(sample, clocks_, arena);
}

void Pipeline::release(std::span<const RecordId> evidence) {
  for (const RecordId id : evidence) {
    auto record = reserve_.take(id, arena());
    if (!record) continue;
    redactor_.redact(*record, arena());
    add_as(id, *record, Order::late);
  }
}

Record Pipeline::record_of(const Story& story) {
  release(story.evidence);
  auto record = story_record(story, arena());
  redactor_.redact(record, arena());
  return record;
}

RecordId Pipeline::add(const Record& record) {
  const RecordId id{run_, next_++};
  add_as(id, record, order_);
  return id;
}

// Under an id that consumers may have had before: then it takes the place of that one.
void Pipeline::add_as(RecordId id, const Record& record, Order order) {
  const Context* context = context_of(record.origin);
  Record& added = batch_->records.emplace_back(record);
  const auto count = record.schema ? record.schema->fields.size() : 0;
  for (Value& value : std::span(added.values).first(count)) value = batch_->arena.keep_value(value);
  added.id = id;
  added.origin.order = order;
  added.context = context;
}

// Rows of one process are common, so the newest context is tried again.
const Context* Pipeline::context_of(const Origin& origin) {
  const std::pair key{origin.pid, origin.cgroup_id};
  if (context_of_ == key) return &batch_->contexts.back();
  const Process* process = origin.pid ? world_.process(origin.pid) : nullptr;
  const Place& place = place_of(origin);
  if (!process && place.cgroup_path.empty()) return nullptr;
  context_of_ = key;
  Context& context = batch_->contexts.emplace_back();
  context.place = place;
  if (!process) return &context;
  std::array<char, kMaxIdText> room;
  Arena& arena = batch_->arena;
  context.process_id = arena.keep(text(process->id, room));
  context.parent_pid = process->parent.pid;
  context.process_name = arena.keep(process->name);
  context.executable = arena.keep(process->image->executable);
  return &context;
}

const Place& Pipeline::place_of(const Origin& origin) {
  static constexpr Place kNowhere;
  if (!origin.cgroup_id) return kNowhere;
  if (const auto kept = places_.find(origin.cgroup_id); kept != places_.end()) return kept->second;
  const Cgroup* cgroup = world_.cgroup(origin.cgroup_id);
  if (!cgroup || cgroup->path.empty()) {
    ask_for_cgroup(origin.cgroup_id, origin.pid);
    return kNowhere;
  }
  Arena& arena = batch_->arena;
  Place place{.cgroup_path = arena.keep(cgroup->path),
              .container_id = arena.keep(cgroup->container_id),
              .container_runtime = arena.keep(cgroup->runtime),
              .pod_uid = arena.keep(cgroup->pod_uid),
              .unit = arena.keep(cgroup->unit),
              .user_unit = arena.keep(cgroup->user_unit)};
  fill_names(place, arena);
  return places_.emplace(origin.cgroup_id, place).first->second;
}

// What its runtime says. A bare id in a pod does not tell the runtime; the one that knows it does.
void Pipeline::fill_names(Place& place, Arena& arena) const {
  if (place.container_id.empty() || !place.container_name.empty()) return;
  const Container* container = world_.container(place.container_id);
  if (!container) return;
  place.container_name = arena.keep(container->name);
  place.container_image = arena.keep(container->image);
  place.pod_name = arena.keep(container->pod_name);
  place.pod_namespace = arena.keep(container->pod_namespace);
  if (place.container_runtime.empty()) place.container_runtime = arena.keep(container->runtime);
}

bool Pipeline::is_awaited(std::string_view container_id) const {
  if (container_id.empty() || world_.container(container_id)) return false;
  const auto until = world_.awaited_until(container_id);
  return until && *until > now_;
}

void Pipeline::ask_for_cgroup(std::uint64_t id, std::uint32_t pid) {
  if (!id || !pid || unknown_cgroups_.size() >= kMaxUnknownCgroups) return;
  const Cgroup* cgroup = world_.cgroup(id);
  if (cgroup && !cgroup->path.empty()) return;
  if (std::ranges::find(unknown_cgroups_, id, &UnknownCgroup::id) == unknown_cgroups_.end())
    unknown_cgroups_.push_back({id, pid});
}

void Pipeline::flush() {
  const bool urgent = std::exchange(urgent_, false);
  arena_.clear();
  if (batch_->records.empty()) return;
  batch_->clocks = clocks_;
  context_of_.reset();
  places_.clear();
  auto full = std::exchange(batch_, std::make_shared<Batch>());
  fill_names(*full);
  auto unnamed = awaited_in(*full);
  if (urgent || (unnamed.empty() && held_.empty())) return deliver_(std::move(full));
  holding_.held++;
  const std::size_t bytes = full->bytes();
  holding_.batches++;
  holding_.bytes += bytes;
  held_.push_back({.batch = std::move(full),
                   .bytes = bytes,
                   .unnamed = std::move(unnamed),
                   .until = now_ + kLongestHold});
  let_go();
}

// What was made before its container was described, perhaps by the same event.
void Pipeline::fill_names(Batch& batch) const {
  if (world_.container_stats().described == 0) return;
  for (Context& context : batch.contexts) fill_names(context.place, batch.arena);
}

std::vector<std::string> Pipeline::awaited_in(const Batch& batch) const {
  std::vector<std::string> ids;
  if (world_.container_stats().awaited == 0) return ids;
  for (const Context& context : batch.contexts) {
    const auto id = context.place.container_id;
    if (is_awaited(id) && std::ranges::find(ids, id) == ids.end()) ids.emplace_back(id);
  }
  return ids;
}

void Pipeline::finish() {
  now_ = MonotonicTime::max();
  flush();
  let_go();
}

void Pipeline::let_go() {
  while (!held_.empty()) {
    Held& first = held_.front();
    const bool waits = std::ranges::any_of(
        first.unnamed, [this](const std::string& id) { return is_awaited(id); });
    const bool full = holding_.bytes > kMaxHeldBytes;
    if (waits && first.until > now_ && !full) return;
    holding_.unnamed += waits;
    holding_.batches--;
    holding_.bytes -= first.bytes;
    fill_names(*first.batch);
    const auto batch = std::move(first.batch);
    held_.pop_front();
    deliver_(batch);
  }
}

}  // namespace tapio::agent
