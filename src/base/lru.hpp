// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <functional>
#include <list>
#include <unordered_map>
#include <utility>

namespace tapio {

// A map of bounded size: beyond `most`, the entry that was not used for the longest time goes.
template <typename Key, typename Value, typename Hash = std::hash<Key>>
class Lru {
 public:
  explicit Lru(std::size_t most) : most_(most) {}
  Lru(const Lru&) = delete;
  Lru& operator=(const Lru&) = delete;

  // The entry, made when there is none. It is the latest used.
  Value& use(const Key& key) {
    if (const auto found = by_key_.find(key); found != by_key_.end()) {
      entries_.splice(entries_.end(), entries_, found->second);
      return found->second->second;
    }
    if (entries_.size() >= most_) forget_oldest();
    entries_.emplace_back(key, Value{});
    by_key_.emplace(key, std::prev(entries_.end()));
    return entries_.back().second;
  }
  // Without using it; nullptr: there is none.
  [[nodiscard]] Value* find(const Key& key) {
    const auto found = by_key_.find(key);
    return found == by_key_.end() ? nullptr : &found->second->second;
  }
  void erase(const Key& key) {
    const auto found = by_key_.find(key);
    if (found == by_key_.end()) return;
    entries_.erase(found->second);
    by_key_.erase(found);
  }
  // Forgets from the one unused for the longest time on, while `old(value)`.
  void forget_while(const auto& old) {
    while (!entries_.empty() && old(std::as_const(entries_.front().second))) forget_oldest();
  }
  [[nodiscard]] std::size_t size() const { return entries_.size(); }
  // Keys and values, the one unused for the longest time first.
  [[nodiscard]] const auto& entries() const { return entries_; }

 private:
  void forget_oldest() {
    by_key_.erase(entries_.front().first);
    entries_.pop_front();
  }

  std::size_t most_;
  std::list<std::pair<Key, Value>> entries_;  // unused for the longest time first
  std::unordered_map<Key, typename std::list<std::pair<Key, Value>>::iterator, Hash> by_key_;
};

}  // namespace tapio
