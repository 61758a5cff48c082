// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <vector>

#include "base/bytes.hpp"
#include "base/clock.hpp"

namespace tapio::capture {

// Puts the records of several channels in order of time. They wait until a watermark has passed
// them; when more than kMaxBytes wait, the older half goes early.
class Merge {
 public:
  static constexpr std::size_t kMaxBytes = 4 << 20;

  void push(MonotonicTime time, Bytes record) {
    waiting_.push_back({time, bytes_.size(), record.size()});
    bytes_.insert(bytes_.end(), record.begin(), record.end());
  }

  [[nodiscard]] std::size_t size() const { return waiting_.size(); }

  // The watermark counts from the moment before the channels were read: what is younger may
  // still be on its way. `late`: older than a record handed out before.
  template <typename OnRecord>  // void(Bytes, bool late)
  void release(MonotonicTime watermark, OnRecord&& on_record) {
    std::ranges::sort(waiting_, {}, [](const Waiting& w) { return std::pair(w.time, w.offset); });
    auto end = std::ranges::upper_bound(waiting_, watermark, {}, &Waiting::time);
    if (bytes_.size() > kMaxBytes) end = std::max(end, waiting_.begin() + std::ssize(waiting_) / 2);
    for (auto it = waiting_.begin(); it != end; ++it) {
      on_record(Bytes(bytes_).subspan(it->offset, it->size), it->time < last_);
      last_ = std::max(last_, it->time);
    }
    forget(end);
  }

 private:
  struct Waiting {
    MonotonicTime time;
    std::size_t offset;  // in bytes_
    std::size_t size;
  };

  void forget(std::vector<Waiting>::iterator end) {
    rest_.clear();
    for (auto it = end; it != waiting_.end(); ++it) {
      const auto record = Bytes(bytes_).subspan(it->offset, it->size);
      it->offset = rest_.size();
      rest_.insert(rest_.end(), record.begin(), record.end());
    }
    waiting_.erase(waiting_.begin(), end);
    bytes_.swap(rest_);
  }

  std::vector<Waiting> waiting_;
  std::vector<std::byte> bytes_, rest_;  // change places: neither is allocated anew
  MonotonicTime last_{};
};

}  // namespace tapio::capture
