// SPDX-License-Identifier: Apache-2.0
// From bytes of the kernel to facts and records, by each observer.
#include "bench/bench.hpp"
#include "bench/live.hpp"
#include "bench/meter.hpp"
#include "empty_world.hpp"

namespace tapio::bench {

namespace {

constexpr int kIterations = 20;

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
  [[nodiscard]] RecordId next_id() const override { return {0, next_}; }
  [[nodiscard]] const World& world() const override { return world_; }
  [[nodiscard]] const Clocks& clocks() const override { return clocks_; }

 private:
  Arena arena_;
  EmptyWorld world_;
  Clocks clocks_;
  std::uint64_t next_ = 1;
};

void parse(benchmark::State& state, const Recorded& recorded) {
  auto live = Live::start(recorded.workload.observer, [](Bytes) {});
  if (!live) return state.SkipWithError(live.error().what.c_str());
  (*live)->programs().detach();
  Meter meter;
  for ([[maybe_unused]] auto _ : state) {
    Forgetful out;
    meter.begin();
    for (const auto& bytes : recorded.samples)
      if (const auto sample = wire::open_sample(bytes))
        benchmark::DoNotOptimize((*live)->observer().on_sample(*sample, out));
    state.SetIterationTime(meter.end(recorded.samples.size()));
  }
  meter.report(state, recorded.workload.what, copy_floor(recorded.samples),
               "memcpy of the same bytes");
}

}  // namespace

void add_parsing(const Recorded& recorded) {
  add("KernelEventParsing", recorded, kIterations, parse);
}

}  // namespace tapio::bench
