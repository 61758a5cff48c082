// SPDX-License-Identifier: Apache-2.0
#include "serve/backlog.hpp"

#include <utility>

namespace tapio::serve {

void Missing::add(std::chrono::nanoseconds time, std::uint64_t how_many) {
  add({.count = how_many, .from = time, .to = time});
}

void Missing::add(const Missing& more) {
  if (more.count == 0) return;
  from = count == 0 ? more.from : std::min(from, more.from);
  to = count == 0 ? more.to : std::max(to, more.to);
  count += more.count;
}

void Backlog::add(std::shared_ptr<const Batch> batch) {
  const std::size_t bytes = batch->bytes();
  const std::lock_guard lock(mutex_);
  // Once something is missing the rest waits too, so that the gap stands where it is.
  if (waiting_.dropped.empty() && bytes_ + bytes <= max_bytes_) {
    bytes_ += bytes;
    waiting_.batches.push_back(std::move(batch));
    return;
  }
  for (const Record& record : batch->records)
    waiting_.dropped[record.schema].add(wall_time(record.origin.time, batch->clocks));
}

Backlog::Taken Backlog::take() {
  const std::lock_guard lock(mutex_);
  bytes_ = 0;
  return std::exchange(waiting_, {});
}

}  // namespace tapio::serve
