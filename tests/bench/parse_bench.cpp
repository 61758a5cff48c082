// SPDX-License-Identifier: Apache-2.0
// From bytes of the kernel to facts and records, by each observer.
#include "bench/bench.hpp"
#include "bench/forgetful.hpp"
#include "bench/live.hpp"
#include "bench/meter.hpp"

namespace tapio::bench {

namespace {

constexpr int kIterations = 10;  // each by a new observer: it knows again what it has seen

void parse(benchmark::State& state, const Recorded& recorded) {
  Meter meter;
  for ([[maybe_unused]] auto _ : state) {
    auto live = Live::start(recorded.workload.observer, [](Bytes) {});
    if (!live) return state.SkipWithError(live.error().what.c_str());
    (*live)->programs().detach();
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
