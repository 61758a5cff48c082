// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <benchmark/benchmark.h>

#include "empty_world.hpp"
#include "observer.hpp"

namespace tapio::bench {

// Takes what an observer says, and forgets it.
class Forgetful final : public Output {
 public:
  Arena& arena() override { return arena_; }
  void publish(const Fact& fact) override { benchmark::DoNotOptimize(&fact); }
  RecordId emit(const Record& record) override {
    benchmark::DoNotOptimize(&record);
    return {0, next_++};
  }
  RecordId withhold(const Record& record, Withheld) override { return emit(record); }
  RecordId withhold(const wire::Sample&, const Origin&, Withheld) override { return {0, next_++}; }
  [[nodiscard]] RecordId next_id() const override { return {0, next_}; }
  [[nodiscard]] const World& world() const override { return world_; }
  [[nodiscard]] const Clocks& clocks() const override { return clocks_; }

 private:
  Arena arena_;
  EmptyWorld world_;
  Clocks clocks_;
  std::uint64_t next_ = 1;
};

}  // namespace tapio::bench
