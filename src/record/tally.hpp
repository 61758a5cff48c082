// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>

#include "record/record.hpp"

namespace tapio {

// How many records, by what they are.
struct Tally {
  static constexpr std::size_t kKinds = static_cast<std::size_t>(Kind::gap) + 1;
  std::array<std::array<std::uint64_t, kKinds>, TAPIO_CLASSES> counts{};

  void add(const Record& record);
  void add(const Batch& batch);
  Tally& operator+=(const Tally& other);
  [[nodiscard]] std::uint64_t of(tapio_class event_class, Kind kind) const;
  [[nodiscard]] std::uint64_t total() const;
  bool operator==(const Tally&) const = default;
};

}  // namespace tapio
