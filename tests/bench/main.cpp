// SPDX-License-Identifier: Apache-2.0
// The benchmarks: `./dev bench micro`. Options are those of the library, like
// --benchmark_filter=Ring and --benchmark_format=json; without a format a table is printed.
#include <unistd.h>

#include <cstdio>
#include <deque>
#include <span>
#include <string_view>

#include "base/log.hpp"
#include "bench/bench.hpp"
#include "bench/meter.hpp"
#include "capture/kernel.hpp"

int main(int argc, char** argv) {
  constexpr int kSkipped = 77;
  if (::geteuid() != 0) {
    std::fputs("loads programs into the kernel: needs root\n", stderr);
    return kSkipped;
  }
  bool as_table = true;
  for (const std::string_view word : std::span(argv, static_cast<std::size_t>(argc)))
    as_table = as_table && !word.starts_with("--benchmark_format");
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  tapio::capture::log_at_debug_level();
  tapio::capture::raise_memlock();
  std::deque<tapio::bench::Recorded> all;  // they stay where they are
  for (const auto* workload : tapio::bench::workloads()) {
    auto recorded = tapio::bench::record(*workload);
    if (!recorded) {
      std::fprintf(stderr, "FAILED: %s\n", recorded.error().what.c_str());
      return 1;
    }
    const auto& kept = all.emplace_back(std::move(*recorded));
    tapio::bench::add_parsing(kept);
    tapio::bench::add_reading(kept);
    tapio::bench::add_end_to_end(kept);
    tapio::bench::add_containers(kept);
    tapio::bench::add_cpus(kept);
  }
  tapio::bench::Table table;
  if (as_table)
    benchmark::RunSpecifiedBenchmarks(&table);
  else
    benchmark::RunSpecifiedBenchmarks();
  return 0;
}
