// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <functional>
#include <unordered_map>
#include <utility>

namespace tapio {

// A map of bounded size: beyond `most`, the entry that was not used for the longest time goes.
// Entries stay where they are as long as they are there.
template <typename Key, typename Value, typename Hash = std::hash<Key>>
class Lru {
  struct Slot;
  using Map = std::unordered_map<Key, Slot, Hash>;
  using Node = std::pair<const Key, Slot>;
  struct Slot {
    Value value{};
    Node* before = nullptr;  // unused for longer
    Node* after = nullptr;
  };

 public:
  explicit Lru(std::size_t most) : most_(most) {}
  Lru(const Lru&) = delete;
  Lru& operator=(const Lru&) = delete;

  // The entry, made when there is none. It is the latest used.
  Value& use(const Key& key) {
    if (const auto found = by_key_.find(key); found != by_key_.end()) {
      unlink(*found);
      link(*found);
      return found->second.value;
    }
    if (size() >= most_) forget(*first_);
    Node& made = *by_key_.try_emplace(key).first;
    link(made);
    return made.second.value;
  }
  // Without using it; nullptr: there is none.
  [[nodiscard]] Value* find(const Key& key) {
    const auto found = by_key_.find(key);
    return found == by_key_.end() ? nullptr : &found->second.value;
  }
  void erase(const Key& key) {
    const auto found = by_key_.find(key);
    if (found == by_key_.end()) return;
    unlink(*found);
    by_key_.erase(found);
  }
  // Forgets from the one unused for the longest time on, while `old(value)`.
  void forget_while(const auto& old) {
    while (first_ && old(std::as_const(first_->second.value))) forget(*first_);
  }
  [[nodiscard]] std::size_t size() const { return by_key_.size(); }

  // Keys and values, the one unused for the longest time first.
  class Entries {
   public:
    using Entry = std::pair<const Key&, const Value&>;
    class Iterator {
     public:
      explicit Iterator(const Node* at) : at_(at) {}
      Entry operator*() const { return {at_->first, at_->second.value}; }
      Iterator& operator++() {
        at_ = at_->second.after;
        return *this;
      }
      bool operator==(const Iterator&) const = default;

     private:
      const Node* at_;
    };
    explicit Entries(const Node* first) : first_(first) {}
    [[nodiscard]] Iterator begin() const { return Iterator(first_); }
    [[nodiscard]] Iterator end() const { return Iterator(nullptr); }
    [[nodiscard]] Entry front() const { return *begin(); }

   private:
    const Node* first_;
  };
  [[nodiscard]] Entries entries() const { return Entries(first_); }

 private:
  void link(Node& node) {
    node.second.before = std::exchange(last_, &node);
    node.second.after = nullptr;
    (node.second.before ? node.second.before->second.after : first_) = &node;
  }
  void unlink(Node& node) {
    auto& [value, before, after] = node.second;
    (before ? before->second.after : first_) = after;
    (after ? after->second.before : last_) = before;
  }
  void forget(Node& node) {
    unlink(node);
    by_key_.erase(by_key_.find(node.first));
  }

  std::size_t most_;
  Map by_key_;
  Node* first_ = nullptr;  // unused for the longest time
  Node* last_ = nullptr;
};

}  // namespace tapio
