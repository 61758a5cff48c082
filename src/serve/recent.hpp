// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <string>

#include "record/record.hpp"

namespace tapio::serve {

// A record as all who ask get it.
struct Line {
  RecordId id;
  const Schema* schema = nullptr;
  std::chrono::nanoseconds time{};  // wall
  std::string json;
};

// The newest records, bounded by bytes: for a new one the oldest goes. Each has a number, one more
// than the one before, so that readers remember where they are and keep nothing of their own. One
// thread uses it.
class Recent {
 public:
  // Told of each line before it goes.
  using Forget = std::function<void(std::uint64_t number, const Line& line)>;

  explicit Recent(std::size_t max_bytes, Forget forget = {})
      : max_bytes_(max_bytes), forget_(std::move(forget)) {}

  void add(const Batch& batch);

  [[nodiscard]] std::uint64_t begin() const { return first_; }
  [[nodiscard]] std::uint64_t end() const { return first_ + lines_.size(); }
  [[nodiscard]] const Line& at(std::uint64_t number) const { return lines_[number - first_]; }
  [[nodiscard]] std::optional<std::uint64_t> find(RecordId id) const;
  [[nodiscard]] std::size_t bytes() const { return bytes_; }

 private:
  static std::size_t size_of(const Line& line) { return sizeof line + line.json.size(); }
  void make_room();

  std::size_t max_bytes_;
  Forget forget_;
  std::deque<Line> lines_;
  std::uint64_t first_ = 0;
  std::size_t bytes_ = 0;
  std::string scratch_;
};

}  // namespace tapio::serve
