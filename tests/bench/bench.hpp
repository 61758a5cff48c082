// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <utility>

#include "bench/live.hpp"

// The benchmarks, each of which is run on each workload.
namespace tapio::bench {

void add_parsing(const Recorded& recorded);     // KernelEventParsing
void add_reading(const Recorded& recorded);     // RingBufferRead, EventDecoded
void add_end_to_end(const Recorded& recorded);  // EventEndToEnd
void add_containers(const Recorded& recorded);  // EventOfContainers
void add_cpus(const Recorded& recorded);        // EventOfCpus

// They take their times themselves, so that what they prepare is not in them.
template <typename Run>
void add(const char* name, const Recorded& recorded, int iterations, Run run) {
  const auto whole = fmt::format("{}/{}", name, recorded.workload.observer.name);
  benchmark::RegisterBenchmark(
      whole.c_str(),
      [&recorded, run = std::move(run)](benchmark::State& state) { run(state, recorded); })
      ->Iterations(iterations)
      ->UseManualTime()
      ->Unit(benchmark::kMillisecond);
}

}  // namespace tapio::bench
