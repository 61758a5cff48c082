// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <benchmark/benchmark.h>

#include <chrono>
#include <cstdint>

namespace tapio::bench {

// Calls of operator new in this program, of all threads.
[[nodiscard]] std::uint64_t allocations();

// Adds up what lies between begin() and end(), and nothing else: the time that this thread had a
// CPU, so that what else runs on the machine is not in it.
class Meter {
 public:
  void begin();
  // Returns the seconds since begin(), for State::SetIterationTime().
  double end(std::uint64_t events);

  [[nodiscard]] double ns_per_event() const;
  // `floor`: ns per event of the least that could be done with the same events; `is` says what.
  void report(benchmark::State& state, const char* workload, double floor, const char* is) const;

 private:
  std::chrono::nanoseconds began_{};
  std::uint64_t allocated_ = 0;
  std::uint64_t events_ = 0, allocations_ = 0;
  std::chrono::nanoseconds time_{};
};

// A line for each benchmark: its figures, its floor, what it worked on.
class Table final : public benchmark::BenchmarkReporter {
 public:
  bool ReportContext(const Context& context) override;
  void ReportRuns(const std::vector<Run>& runs) override;
};

}  // namespace tapio::bench
