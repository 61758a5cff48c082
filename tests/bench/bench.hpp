// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <benchmark/benchmark.h>

#include <string>
#include <utility>

#include "bench/workload.hpp"

// The benchmarks, each of which is run on each workload.
namespace tapio::bench {

void add_parsing(const Workload& workload, const std::string& name);     // KernelEventParsing
void add_reading(const Workload& workload, const std::string& name);     // RingBufferRead
void add_end_to_end(const Workload& workload, const std::string& name);  // EventEndToEnd

// They take their times themselves, so that what they prepare is not in them.
template <typename Run>
void add(const std::string& name, int iterations, Run run) {
  benchmark::RegisterBenchmark(name.c_str(), std::move(run))
      ->Iterations(iterations)
      ->UseManualTime()
      ->Unit(benchmark::kMillisecond);
}

}  // namespace tapio::bench
