// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <vector>

#include "base/bytes.hpp"
#include "base/clock.hpp"

namespace tapio::capture {

// Puts the records of several channels in order of time. They wait until a watermark has passed
// them; when more than kMaxBytes wait, the older half goes early. It takes up to twice as much,
// for what has been handed out stays as long as it is less than half.
class Merge {
 public:
  static constexpr std::size_t kMaxBytes = 4 << 20;

  void push(MonotonicTime time, Bytes record) {
    if (!waiting_.empty() && time < waiting_.back().time) breaks_.push_back(std::ssize(waiting_));
    waiting_.push_back({time, bytes_.size(), record.size()});
    bytes_.insert(bytes_.end(), record.begin(), record.end());
  }

  [[nodiscard]] std::size_t size() const { return waiting_.size(); }

  // The watermark counts from the moment before the channels were read: what is younger may
  // still be on its way. `late`: older than a record handed out before.
  template <typename OnRecord>  // void(Bytes, bool late)
  void release(MonotonicTime watermark, OnRecord&& on_record) {
    sort();
    auto end = std::ranges::upper_bound(waiting_, watermark, {}, &Waiting::time);
    if (bytes_.size() - handed_out_ > kMaxBytes)
      end = std::max(end, waiting_.begin() + std::ssize(waiting_) / 2);
    for (auto it = waiting_.begin(); it != end; ++it) {
      on_record(Bytes(bytes_).subspan(it->offset, it->size), it->time < last_);
      handed_out_ += it->size;
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

  // What comes from one buffer is in order already, so there are as many runs as buffers: they are
  // merged in pairs, and at last with what waited from before, which is longest. Of equal times,
  // what was pushed first stays first.
  void sort() {
    while (breaks_.size() > 1) {
      std::size_t kept = 0;
      for (std::size_t i = 0; i < breaks_.size(); i += 2) {
        if (i + 1 < breaks_.size())
          merge(breaks_[i], breaks_[i + 1],
                i + 2 < breaks_.size() ? breaks_[i + 2] : std::ssize(waiting_));
        breaks_[kept++] = breaks_[i];
      }
      breaks_.resize(kept);
    }
    if (!breaks_.empty()) merge(0, breaks_.front(), std::ssize(waiting_));
    breaks_.clear();
  }
  void merge(std::ptrdiff_t from, std::ptrdiff_t middle, std::ptrdiff_t to) {
    const auto begin = waiting_.begin();
    std::ranges::inplace_merge(begin + from, begin + middle, begin + to, {}, &Waiting::time);
  }

  // Bytes of those that wait move together once half of all has been handed out.
  void forget(std::vector<Waiting>::iterator end) {
    waiting_.erase(waiting_.begin(), end);
    if (handed_out_ * 2 < bytes_.size()) return;
    rest_.clear();
    for (Waiting& each : waiting_) {
      const auto record = Bytes(bytes_).subspan(each.offset, each.size);
      each.offset = rest_.size();
      rest_.insert(rest_.end(), record.begin(), record.end());
    }
    bytes_.swap(rest_);
    handed_out_ = 0;
  }

  std::vector<Waiting> waiting_;
  std::vector<std::ptrdiff_t> breaks_;   // in waiting_, where a record is older than the one before
  std::vector<std::byte> bytes_, rest_;  // change places: neither is allocated anew
  std::size_t handed_out_ = 0;           // bytes that are still in bytes_
  MonotonicTime last_{};
};

}  // namespace tapio::capture
