// SPDX-License-Identifier: Apache-2.0
#include "record/tally.hpp"

namespace tapio {

void Tally::add(const Record& record) {
  const auto event_class = static_cast<std::size_t>(record.origin.event_class);
  ++counts[event_class][static_cast<std::size_t>(record.schema->kind)];
}

void Tally::add(const Batch& batch) {
  for (const Record& record : batch.records) add(record);
}

Tally& Tally::operator+=(const Tally& other) {
  for (std::size_t c = 0; c < counts.size(); ++c)
    for (std::size_t k = 0; k < kKinds; ++k) counts[c][k] += other.counts[c][k];
  return *this;
}

std::uint64_t Tally::of(tapio_class event_class, Kind kind) const {
  return counts[static_cast<std::size_t>(event_class)][static_cast<std::size_t>(kind)];
}

std::uint64_t Tally::total() const {
  std::uint64_t sum = 0;
  for (const auto& kinds : counts)
    for (const std::uint64_t count : kinds) sum += count;
  return sum;
}

}  // namespace tapio
