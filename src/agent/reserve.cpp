// SPDX-License-Identifier: Apache-2.0
#include "agent/reserve.hpp"

#include <algorithm>
#include <bit>
#include <utility>

#include "evaluate/signal_memory.hpp"

namespace tapio::agent {

namespace {

using Texts = std::span<const std::string_view>;

// A value with its kind before it. Text and lists are copied.
struct PackValue {
  Packer& pack;

  void operator()(std::monostate) const {}
  void operator()(double value) const { pack(std::bit_cast<std::uint64_t>(value)); }
  void operator()(Texts texts) const {
    pack(texts.size());
    for (const auto text : texts) pack(text);
  }
  void operator()(auto value) const { pack(value); }
};

struct UnpackValue {
  Unpacker& unpack;
  Arena& arena;

  void operator()(std::monostate) const {}
  void operator()(double& value) const {
    std::uint64_t bits = 0;
    unpack(bits);
    value = std::bit_cast<double>(bits);
  }
  void operator()(std::string_view& text) const {
    unpack(text);
    text = arena.keep(text);
  }
  void operator()(Texts& texts) const {
    std::size_t count = 0;
    unpack(count);
    const auto list = arena.list(count);
    for (auto& text : list) (*this)(text);
    texts = list;
  }
  void operator()(auto& value) const { unpack(value); }
};

// The alternative of this index, empty.
template <std::size_t... kIndex>
Value empty(std::size_t index, std::index_sequence<kIndex...>) {
  Value value;
  ((kIndex == index ? static_cast<void>(value.emplace<kIndex>()) : void()), ...);
  return value;
}

}  // namespace

Record Reserve::unpack(const Kept& kept, Content content, Arena& arena) {
  Record record{.schema = kept.schema};
  Unpacker unpack(content);
  for (Value& value : std::span(record.values).first(kept.schema->fields.size())) {
    std::size_t index = 0;
    unpack(index);
    value = empty(index, std::make_index_sequence<std::variant_size_v<Value>>());
    std::visit(UnpackValue{unpack, arena}, value);
  }
  return record;
}

std::optional<Record> Reserve::restore(const Kept& kept, Content content, Arena& arena) {
  std::optional<Record> record;
  if (kept.as == As::record)
    record = unpack(kept, content, arena);
  else if (const auto sample = wire::open_sample(std::as_bytes(std::span(content))))
    record = make_(*sample, arena);
  (record ? released_ : forgotten_)++;
  if (!record) return {};
  record->id = kept.id;
  record->origin = kept.origin;
  return record;
}

void Reserve::keep(const Record& record, RecordId id) {
  if (!record.schema) return;  // a repetition of one that was handed out
  pack_.bytes().clear();
  for (const Value& value : std::span(record.values).first(record.schema->fields.size())) {
    pack_(value.index());
    std::visit(PackValue{pack_}, value);
  }
  queue({.id = id,
         .origin = record.origin,
         .schema = record.schema,
         .as = As::record,
         .is_exec = id == exec_.id},
        pack_.bytes());
}

void Reserve::keep(const wire::Sample& sample, const Origin& origin, RecordId id) {
  queue({.id = id, .origin = origin, .as = As::sample, .is_exec = id == exec_.id},
        wire::chars(sample.bytes));
}

void Reserve::queue(const Kept& kept, Content content) {
  while (!contents_.push(content)) {
    if (queue_.empty()) {  // longer than all that may be kept
      forgotten_++;
      return;
    }
    forget_first();
  }
  queue_.push_back(kept);
  if (kept.is_exec) not_ended_[kept.origin.pid] = exec_;
  queue_bytes_ += kEach + content.size();
  while (queue_bytes_ > most_bytes_) forget_first();
}

void Reserve::spare_memory(bool is_short) {
  const std::size_t most = is_short ? kSpareBytes : kMaxBytes;
  if (most == most_bytes_) return;
  most_bytes_ = most;
  while (queue_bytes_ > most_bytes_) forget_first();
  contents_.resize(most_bytes_);
}

void Reserve::forget_first() {
  const Kept& first = queue_.front();
  const Content content = contents_[0];
  queue_bytes_ -= kEach + content.size();
  if (may_live(first) && lives(first))
    put(first, content, living_, kMaxLiving);
  else if (is_involved(first))
    put(first, content, involved_, kMaxInvolved);
  else
    forgotten_ += first.as != As::taken;
  queue_.pop_front();
  contents_.pop();
}

void Reserve::put(const Kept& kept, Content content, Shelf& shelf, std::size_t most) {
  shelf.emplace(kept.id, Shelved{kept, std::string(content)});
  if (shelf.size() <= most) return;
  shelf.erase(shelf.begin());
  forgotten_++;
}

// Asked once, when it leaves the queue.
bool Reserve::may_live(const Kept& kept) {
  if (!kept.is_exec) return false;
  const auto known = not_ended_.find(kept.origin.pid);
  if (known == not_ended_.end() || known->second.id != kept.id) return false;
  not_ended_.erase(known);
  return true;
}

// The latest exec of a process that runs.
bool Reserve::lives(const Kept& kept) const {
  if (kept.as == As::taken || !kept.is_exec) return false;
  const Process* process = world_.process(kept.origin.pid);
  return process && process->life == Life::running && process->executed == kept.origin.time;
}

// Whoever has the pid by then: a record too many does no harm.
bool Reserve::is_involved(const Kept& kept) const {
  const auto pid = kept.origin.pid;
  return kept.as != As::taken && (involved_pids_.contains(pid) || involved_before_.contains(pid));
}

void Reserve::on_fact(const Fact& fact) {
  if (const auto* executed = std::get_if<ProcessExecuted>(&fact))
    exec_ = {.process = executed->process, .id = executed->evidence};
  if (const auto* sent = std::get_if<SignalSent>(&fact)) {
    if (!sent->lethal && !asks_to_end(sent->signal)) return;
    involve(sent->target.pid);
    involve(sent->sender.pid);
  }
  if (const auto* exited = std::get_if<ProcessExited>(&fact)) {
    const auto known = not_ended_.find(exited->process.pid);
    if (known != not_ended_.end() && known->second.process == exited->process)
      not_ended_.erase(known);
    if (exited->signal != 0) involve(exited->process.pid);
  }
}

void Reserve::involve(std::uint32_t pid) {
  if (pid == 0) return;
  if (involved_pids_.size() >= kMaxPids / 2) turn(turned_);
  involved_pids_.insert(pid);
}

void Reserve::turn(MonotonicTime now) {
  involved_before_ = std::exchange(involved_pids_, {});
  turned_ = now;
}

std::optional<Record> Reserve::take(RecordId id, Arena& arena) {
  for (Shelf* shelf : {&living_, &involved_}) {
    const auto found = shelf->find(id);
    if (found == shelf->end()) continue;
    const Shelved taken = shelf->extract(found).mapped();
    return restore(taken.kept, taken.content, arena);
  }
  const auto found = std::ranges::lower_bound(queue_, id, {}, &Kept::id);
  if (found == queue_.end() || found->id != id || found->as == As::taken) return std::nullopt;
  const Kept taken = *found;
  found->as = As::taken;
  return restore(taken, contents_[static_cast<std::size_t>(found - queue_.begin())], arena);
}

void Reserve::sweep(MonotonicTime now) {
  if (turned_ + kInvolvedStays <= now) turn(now);
  forgotten_ += std::erase_if(living_, [this](const auto& entry) {
    return !lives(entry.second.kept) && !is_involved(entry.second.kept);
  });
  forgotten_ += std::erase_if(
      involved_, [this](const auto& entry) { return !is_involved(entry.second.kept); });
}

Reserve::Stats Reserve::stats() const {
  Stats stats{.kept = queue_.size() + living_.size() + involved_.size(),
              .bytes = queue_bytes_,
              .released = released_,
              .forgotten = forgotten_};
  for (const Shelf* shelf : {&living_, &involved_})
    for (const auto& [id, shelved] : *shelf)
      stats.bytes += sizeof(Shelved) + shelved.content.capacity();
  return stats;
}

}  // namespace tapio::agent
