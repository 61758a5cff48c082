// SPDX-License-Identifier: Apache-2.0
#include "agent/reserve.hpp"

#include <algorithm>
#include <bit>
#include <utility>

#include "base/pack.hpp"
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

std::size_t Reserve::Kept::bytes() const {
  return sizeof(Kept) + values.capacity();
}

Reserve::Kept Reserve::copy(const Record& record, RecordId id) {
  Packer pack;
  pack.bytes().swap(scratch_);
  pack.bytes().clear();
  for (const Value& value : std::span(record.values).first(record.schema->fields.size())) {
    pack(value.index());
    std::visit(PackValue{pack}, value);
  }
  Kept kept{.schema = record.schema,
            .origin = record.origin,
            .id = id,
            .is_exec = id == exec_,
            .values = pack.bytes()};
  pack.bytes().swap(scratch_);
  return kept;
}

Record Reserve::restore(const Kept& kept, Arena& arena) {
  Record record{.schema = kept.schema, .origin = kept.origin, .id = kept.id};
  Unpacker unpack(kept.values);
  for (Value& value : std::span(record.values).first(kept.schema->fields.size())) {
    std::size_t index = 0;
    unpack(index);
    value = empty(index, std::make_index_sequence<std::variant_size_v<Value>>());
    std::visit(UnpackValue{unpack, arena}, value);
  }
  return record;
}

void Reserve::keep(const Record& record, RecordId id) {
  if (!record.schema) return;  // a repetition of one that was handed out
  queue_bytes_ += queue_.emplace_back(copy(record, id)).bytes();
  while (queue_bytes_ > most_bytes_) forget_first();
}

void Reserve::spare_memory(bool is_short) {
  most_bytes_ = is_short ? kSpareBytes : kMaxBytes;
  while (queue_bytes_ > most_bytes_) forget_first();
}

void Reserve::forget_first() {
  Kept& first = queue_.front();
  queue_bytes_ -= first.bytes();
  if (lives(first))
    put(std::move(first), living_, kMaxLiving);
  else if (is_involved(first))
    put(std::move(first), involved_, kMaxInvolved);
  else
    forgotten_ += first.schema != nullptr;
  queue_.pop_front();
}

void Reserve::put(Kept&& kept, Shelf& shelf, std::size_t most) {
  shelf.emplace(kept.id, std::move(kept));
  if (shelf.size() <= most) return;
  shelf.erase(shelf.begin());
  forgotten_++;
}

// The latest exec of a process that runs.
bool Reserve::lives(const Kept& kept) const {
  if (!kept.schema || !kept.is_exec) return false;
  const Process* process = world_.process(kept.origin.pid);
  return process && process->life == Life::running && process->executed == kept.origin.time;
}

// Whoever has the pid by then: a record too many does no harm.
bool Reserve::is_involved(const Kept& kept) const {
  const auto pid = kept.origin.pid;
  return kept.schema && (involved_pids_.contains(pid) || involved_before_.contains(pid));
}

void Reserve::on_fact(const Fact& fact) {
  if (const auto* executed = std::get_if<ProcessExecuted>(&fact)) exec_ = executed->evidence;
  if (const auto* sent = std::get_if<SignalSent>(&fact)) {
    if (!sent->lethal && !asks_to_end(sent->signal)) return;
    involve(sent->target.pid);
    involve(sent->sender.pid);
  }
  if (const auto* exited = std::get_if<ProcessExited>(&fact); exited && exited->signal != 0)
    involve(exited->process.pid);
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
    released_++;
    return restore(shelf->extract(found).mapped(), arena);
  }
  const auto found = std::ranges::lower_bound(queue_, id, {}, &Kept::id);
  if (found == queue_.end() || found->id != id || !found->schema) return std::nullopt;
  released_++;
  queue_bytes_ -= found->bytes();
  const Kept taken = std::exchange(*found, Kept{.schema = nullptr, .origin = {}, .id = id});
  queue_bytes_ += found->bytes();
  return restore(taken, arena);
}

void Reserve::sweep(MonotonicTime now) {
  if (turned_ + kInvolvedStays <= now) turn(now);
  forgotten_ += std::erase_if(living_, [this](const auto& entry) {
    return !lives(entry.second) && !is_involved(entry.second);
  });
  forgotten_ +=
      std::erase_if(involved_, [this](const auto& entry) { return !is_involved(entry.second); });
}

Reserve::Stats Reserve::stats() const {
  Stats stats{.kept = queue_.size() + living_.size() + involved_.size(),
              .bytes = queue_bytes_,
              .released = released_,
              .forgotten = forgotten_};
  for (const Shelf* shelf : {&living_, &involved_})
    for (const auto& [id, kept] : *shelf) stats.bytes += kept.bytes();
  return stats;
}

}  // namespace tapio::agent
