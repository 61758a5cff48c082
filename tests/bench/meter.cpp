// SPDX-License-Identifier: Apache-2.0
#include "bench/meter.hpp"

#include <fmt/format.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <new>

namespace {

std::atomic<std::uint64_t> g_allocations = 0;

}  // namespace

// Replaces those of the library for the whole program ([new.delete.single]); the others call them.
void* operator new(std::size_t size) {
  g_allocations.fetch_add(1, std::memory_order_relaxed);
  if (void* memory = std::malloc(size)) return memory;
  throw std::bad_alloc();
}
void operator delete(void* memory) noexcept {
  std::free(memory);
}
void operator delete(void* memory, std::size_t) noexcept {
  std::free(memory);
}

namespace tapio::bench {

namespace {

std::chrono::nanoseconds cpu_time() {
  timespec time{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
}

}  // namespace

std::uint64_t allocations() {
  return g_allocations.load(std::memory_order_relaxed);
}

void Meter::begin() {
  allocated_ = allocations();
  began_ = cpu_time();
}

double Meter::end(std::uint64_t events) {
  const auto took = cpu_time() - began_;
  time_ += took;
  allocations_ += allocations() - allocated_;
  events_ += events;
  return std::chrono::duration<double>(took).count();
}

double Meter::ns_per_event() const {
  return events_ ? static_cast<double>(time_.count()) / static_cast<double>(events_) : 0;
}

void Meter::report(benchmark::State& state, const char* workload, double floor,
                   const char* is) const {
  if (events_ == 0) return state.SkipWithError("no event came");
  const auto events = static_cast<double>(events_);
  state.counters["events"] = events;
  state.counters["ns_per_event"] = ns_per_event();
  state.counters["events_per_second"] = 1e9 / ns_per_event();
  state.counters["allocations_per_event"] = static_cast<double>(allocations_) / events;
  state.counters["floor_ns_per_event"] = floor;
  state.SetLabel(fmt::format("{}; floor: {}", workload, is));
}

bool Table::ReportContext(const Context&) {
  fmt::print("{:<38} {:>10} {:>12} {:>12} {:>10}  {}\n", "", "ns/event", "events/s", "allocs/event",
             "floor, ns", "workload");
  return true;
}

void Table::ReportRuns(const std::vector<Run>& runs) {
  for (const Run& run : runs) {
    const std::string& name = run.run_name.function_name;
    if (run.error_occurred) {
      fmt::print("{:<38} FAILED: {}\n", name, run.error_message);
      continue;
    }
    const auto figure = [&](const char* key) { return run.counters.at(key).value; };
    fmt::print("{:<38} {:>10.1f} {:>12.0f} {:>12.2f} {:>10.1f}  {}\n", name, figure("ns_per_event"),
               figure("events_per_second"), figure("allocations_per_event"),
               figure("floor_ns_per_event"), run.report_label);
  }
  std::fflush(stdout);
}

}  // namespace tapio::bench
