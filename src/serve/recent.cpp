// SPDX-License-Identifier: Apache-2.0
#include "serve/recent.hpp"

#include "record/json.hpp"

namespace tapio::serve {

void Recent::add(const Batch& batch) {
  for (const Record& record : batch.records) {
    scratch_.clear();
    append_json(scratch_, record, batch.clocks);
    lines_.push_back({.id = record.id,
                      .schema = record.schema,
                      .time = wall_time(record.origin.time, batch.clocks),
                      .json = std::string(scratch_)});  // without room that it does not need
    bytes_ += size_of(lines_.back());
    make_room();
  }
}

void Recent::make_room() {
  while (bytes_ > max_bytes_ && !lines_.empty()) {
    const Line& oldest = lines_.front();
    if (forget_) forget_(first_, oldest);
    bytes_ -= size_of(oldest);
    lines_.pop_front();
    ++first_;
  }
}

// From the newest, which are asked for most; evidence that was handed out late has an older id, so
// the order of ids says nothing.
std::optional<std::uint64_t> Recent::find(RecordId id) const {
  for (std::uint64_t number = end(); number > begin(); --number)
    if (at(number - 1).id == id) return number - 1;
  return std::nullopt;
}

}  // namespace tapio::serve
