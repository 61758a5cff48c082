// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <deque>
#include <memory>
#include <string_view>
#include <utility>

namespace tapio {

// Pieces of bytes, first in, first out, in one block of memory that they go round in: nothing is
// allocated for a piece, and none is touched when it goes. Memory is taken as it is first used.
class ByteQueue {
 public:
  explicit ByteQueue(std::size_t capacity) : capacity_(capacity), block_(block(capacity)) {}

  // False: there is no room, until the first have gone. Each piece lies in one place, so some bytes
  // at the end of the block may stay unused.
  [[nodiscard]] bool push(std::string_view piece) {
    const std::size_t room = std::max<std::size_t>(piece.size(), 1);  // two are never in one place
    if (!fits(end_, room)) {
      if (end_ < begin() || !fits(0, room)) return false;
      end_ = 0;
    }
    piece.copy(block_.get() + end_, piece.size());
    pieces_.push_back({end_, piece.size()});
    end_ += room;
    return true;
  }
  void pop() {
    pieces_.pop_front();
    if (pieces_.empty()) end_ = 0;
  }
  // The first is 0. Until it has gone, or resize().
  [[nodiscard]] std::string_view operator[](std::size_t index) const {
    return {block_.get() + pieces_[index].at, pieces_[index].size};
  }
  [[nodiscard]] std::size_t size() const { return pieces_.size(); }
  // In a new block, and the old one is given back. All that is there must fit.
  void resize(std::size_t capacity) {
    ByteQueue other(capacity);
    for (std::size_t i = 0; i < size(); ++i) static_cast<void>(other.push((*this)[i]));
    *this = std::move(other);
  }

 private:
  struct Piece {
    std::size_t at, size;
  };

 public:
  static constexpr std::size_t kOverhead = sizeof(Piece);  // bytes for each, beside the block

 private:
  static std::unique_ptr<char[]> block(std::size_t capacity) {
    return std::make_unique_for_overwrite<char[]>(capacity);
  }
  [[nodiscard]] std::size_t begin() const { return pieces_.empty() ? 0 : pieces_.front().at; }
  // An end that has come round stays before the beginning: where they meet, the queue is empty.
  [[nodiscard]] bool fits(std::size_t at, std::size_t size) const {
    const bool is_round = !pieces_.empty() && at <= begin();
    return is_round ? at + size < begin() : at + size <= capacity_;
  }

  std::size_t capacity_;
  std::unique_ptr<char[]> block_;
  std::deque<Piece> pieces_;
  std::size_t end_ = 0;  // of the latest
};

}  // namespace tapio
