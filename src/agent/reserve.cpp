// SPDX-License-Identifier: Apache-2.0
#include "agent/reserve.hpp"

#include <algorithm>
#include <numeric>
#include <utility>

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
  if (lives(first)) {
    living_.emplace(first.id, std::move(first));
    if (living_.size() > kMaxLiving) {
      living_.erase(living_.begin());
      forgotten_++;
    }
  } else {
    forgotten_ += first.schema != nullptr;
  }
  queue_.pop_front();
}

// The latest exec of a process that runs.
bool Reserve::lives(const Kept& kept) const {
  if (!kept.schema || !kept.origin.pid) return false;
  const Process* process = world_.process(kept.origin.pid);
  return process && process->life == Life::running && process->executed == kept.origin.time;
}

std::optional<Record> Reserve::take(RecordId id, Arena& arena) {
  if (const auto found = living_.find(id); found != living_.end()) {
    released_++;
    return restore(std::move(living_.extract(found).mapped()), arena);
  }
  const auto found = std::ranges::lower_bound(queue_, id, {}, &Kept::id);
  if (found == queue_.end() || found->id != id || !found->schema) return std::nullopt;
  released_++;
  queue_bytes_ -= found->bytes();
  Kept taken = std::exchange(*found, Kept{.schema = nullptr, .origin = {}, .id = id});
  queue_bytes_ += found->bytes();
  return restore(std::move(taken), arena);
}

void Reserve::sweep() {
  forgotten_ += std::erase_if(living_, [this](const auto& entry) { return !lives(entry.second); });
}

Reserve::Stats Reserve::stats() const {
  const auto living = std::accumulate(
      living_.begin(), living_.end(), std::size_t{0},
      [](std::size_t sum, const auto& entry) { return sum + entry.second.bytes(); });
  return {.kept = queue_.size() + living_.size(),
          .bytes = queue_bytes_ + living,
          .released = released_,
          .forgotten = forgotten_};
}

}  // namespace tapio::agent
