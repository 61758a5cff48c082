// SPDX-License-Identifier: Apache-2.0
#include "agent/reserve.hpp"

#include <algorithm>
#include <utility>

#include "evaluate/signal_memory.hpp"

namespace tapio::agent {

namespace {

using Texts = std::span<const std::string_view>;

// A shorter string may lie inside its object, and then does not stay where it is when that moves.
constexpr std::size_t kOnHeap = 64;

// To a string that has room for it, so that earlier views stay good.
std::string_view append(std::string& all, std::string_view text) {
  const auto at = all.size();
  all.append(text);
  return {all.data() + at, text.size()};
}

}  // namespace

std::size_t Reserve::Kept::bytes() const {
  return sizeof(Kept) + values.size() * sizeof(Value) + lists.size() * sizeof(std::string_view) +
         text.capacity();
}

Reserve::Kept Reserve::copy(const Record& record, RecordId id) {
  Kept kept{.schema = record.schema, .origin = record.origin, .id = id};
  const auto count = record.schema->fields.size();
  std::size_t text = 0, lists = 0;
  for (std::size_t i = 0; i < count; ++i) {
    if (const auto* one = std::get_if<std::string_view>(&record.values[i])) text += one->size();
    if (const auto* many = std::get_if<Texts>(&record.values[i])) {
      lists += many->size();
      for (const auto each : *many) text += each.size();
    }
  }
  kept.text.reserve(std::max(text, kOnHeap));
  kept.lists.reserve(lists);
  kept.values.reserve(count);
  for (std::size_t i = 0; i < count; ++i) {
    Value value = record.values[i];
    if (auto* one = std::get_if<std::string_view>(&value)) *one = append(kept.text, *one);
    if (auto* many = std::get_if<Texts>(&value)) {
      const auto at = kept.lists.size();
      for (const auto each : *many) kept.lists.push_back(append(kept.text, each));
      *many = Texts(kept.lists).subspan(at);
    }
    kept.values.push_back(value);
  }
  return kept;
}

Record Reserve::restore(Kept kept, Arena& arena) {
  Record record{.schema = kept.schema, .origin = kept.origin, .id = kept.id};
  std::ranges::transform(kept.values, record.values.begin(), [&](Value value) {
    if (auto* one = std::get_if<std::string_view>(&value)) *one = arena.keep(*one);
    if (auto* many = std::get_if<Texts>(&value)) {
      const auto list = arena.list(many->size());
      std::ranges::transform(*many, list.begin(), [&](auto each) { return arena.keep(each); });
      *many = list;
    }
    return value;
  });
  return record;
}

void Reserve::keep(const Record& record, RecordId id) {
  if (!record.schema) return;  // a repetition of one that was handed out
  queue_bytes_ += queue_.emplace_back(copy(record, id)).bytes();
  while (queue_bytes_ > kMaxBytes) forget_first();
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
  if (!kept.schema || !kept.origin.pid) return false;
  const Process* process = world_.process(kept.origin.pid);
  return process && process->life == Life::running && process->executed == kept.origin.time;
}

// Whoever has the pid by then: a record too many does no harm.
bool Reserve::is_involved(const Kept& kept) const {
  const auto pid = kept.origin.pid;
  return kept.schema && (involved_pids_.contains(pid) || involved_before_.contains(pid));
}

void Reserve::on_fact(const Fact& fact) {
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
    return restore(std::move(shelf->extract(found).mapped()), arena);
  }
  const auto found = std::ranges::lower_bound(queue_, id, {}, &Kept::id);
  if (found == queue_.end() || found->id != id || !found->schema) return std::nullopt;
  released_++;
  queue_bytes_ -= found->bytes();
  Kept taken = std::exchange(*found, Kept{.schema = nullptr, .origin = {}, .id = id});
  queue_bytes_ += found->bytes();
  return restore(std::move(taken), arena);
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
