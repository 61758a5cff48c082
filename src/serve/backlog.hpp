// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <mutex>

#include "record/record.hpp"

namespace tapio::serve {

// Lines that a consumer did not get. Wall time.
struct Missing {
  std::uint64_t count = 0;
  std::chrono::nanoseconds from{}, to{};

  void add(std::chrono::nanoseconds time, std::uint64_t how_many = 1);
  void add(const Missing& more);
};

// Batches on their way from the pipeline to the thread that serves. Bounded by bytes; a batch that
// does not fit is dropped whole and counted by schema, so that each consumer learns how many of
// those it asked for are missing.
class Backlog {
 public:
  struct Taken {
    std::deque<std::shared_ptr<const Batch>> batches;
    std::map<const Schema*, Missing> dropped;  // newer than the batches
  };

  explicit Backlog(std::size_t max_bytes) : max_bytes_(max_bytes) {}

  // Never waits for anything but another add() or take().
  void add(std::shared_ptr<const Batch> batch);
  [[nodiscard]] Taken take();

 private:
  std::size_t max_bytes_;
  std::mutex mutex_;
  Taken waiting_;
  std::size_t bytes_ = 0;
};

}  // namespace tapio::serve
