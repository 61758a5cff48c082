// SPDX-License-Identifier: Apache-2.0
// What an event costs between the kernel's buffers and the pipeline on a machine with many CPUs:
// headers, books, queue, order of time. The samples are real ones, spread over so many CPUs, and
// come as a pass of the agent finds them: one buffer after another, each in order.
#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "bench/bench.hpp"
#include "bench/meter.hpp"
#include "capture/merge.hpp"
#include "decode/intake.hpp"

namespace tapio::bench {

namespace {

using namespace std::chrono_literals;

constexpr int kIterations = 5;
constexpr int kPasses = 20;
constexpr std::size_t kInPass = 4096;
constexpr auto kPass = 50ms;              // between two looks at the buffers
constexpr std::uint32_t kSpread = 40503;  // CPUs that follow each other in time are far apart
constexpr std::size_t kRingBytes = 256 << 10;

struct Layout {
  const char* buffers;
  std::uint32_t cpus;
  std::uint32_t count;  // of buffers
  std::chrono::nanoseconds lateness;
};

// One pass: all samples of it, as they are read.
Samples make_pass(const Samples& samples, const Layout& layout, int pass) {
  std::vector<Samples> buffers(layout.count);
  for (std::size_t i = 0; i < kInPass; ++i) {
    const auto number = static_cast<std::uint32_t>(pass * kInPass + i);
    auto sample = samples[number % samples.size()];
    tapio_event_header header;
    std::memcpy(&header, sample.data(), sizeof header);
    const std::uint32_t cpu = number * kSpread % 65521 % layout.cpus;
    header.cpu = static_cast<std::uint16_t>(cpu);
    header.sequence = number;
    header.time_ns = static_cast<std::uint64_t>(
        (pass * kPass + kPass * static_cast<int>(i) / static_cast<int>(kInPass)) / 1ns);
    std::memcpy(sample.data(), &header, sizeof header);
    buffers[cpu * layout.count / layout.cpus].push_back(std::move(sample));
  }
  Samples all;
  for (auto& buffer : buffers) std::ranges::move(buffer, std::back_inserter(all));
  return all;
}

// What Intake and the pipeline do with them before any observer sees one.
void take(const Samples& pass, MonotonicTime watermark, Intake& intake, capture::Merge& merge,
          std::uint64_t& late) {
  const auto taker = intake.taker();
  std::vector<std::byte> block;
  for (const auto& sample : pass) taker(sample);
  intake.next(block, {});
  Intake::each(block, [&](const wire::Sample& sample) {
    merge.push(MonotonicTime(sample.header.time_ns), sample.bytes);
  });
  merge.release(watermark, [&](Bytes bytes, bool is_late) {
    benchmark::DoNotOptimize(bytes.data());
    late += is_late;
  });
}

void of_cpus(benchmark::State& state, const Recorded& recorded, const Layout& layout) {
  std::vector<Samples> passes;
  for (int pass = 0; pass < kPasses; ++pass)
    passes.push_back(make_pass(recorded.samples, layout, pass));
  Meter meter;
  std::uint64_t late = 0;
  for ([[maybe_unused]] auto _ : state) {
    capture::Ledger ledger(-1, kRingBytes, layout.cpus);
    Intake intake;
    intake.admit(recorded.workload.observer.id, ledger);
    capture::Merge merge;
    meter.begin();
    for (int pass = 0; pass < kPasses; ++pass)
      take(passes[pass], (pass + 1) * kPass - layout.lateness, intake, merge, late);
    state.SetIterationTime(meter.end(kPasses * kInPass));
  }
  if (late) return state.SkipWithError("records came late");
  meter.report(state, fmt::format("{} of {}", recorded.workload.what, layout.buffers).c_str(),
               copy_floor(recorded.samples), "memcpy of the same bytes");
}

}  // namespace

void add_cpus(const Recorded& recorded) {
  if (recorded.workload.observer.name != "process") return;  // what is measured knows no observer
  static constexpr Layout kLayouts[] = {
      {"one ring", 1, 1, 20ms}, {"one ring", 2, 1, 20ms},  {"one ring", 8, 1, 20ms},
      {"4 rings", 64, 4, 20ms}, {"8 rings", 128, 8, 20ms}, {"64 perf buffers", 64, 64, 100ms}};
  for (const Layout& layout : kLayouts)
    add(fmt::format("EventOfCpus/{}/{}", layout.cpus, layout.count).c_str(), recorded, kIterations,
        [&layout](benchmark::State& state, const Recorded& each) { of_cpus(state, each, layout); });
}

}  // namespace tapio::bench
