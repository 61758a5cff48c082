// SPDX-License-Identifier: Apache-2.0
// What it takes to read the kernel's buffers while the programs are attached, and to make facts and
// records of what was read.
#include <functional>
#include <memory>

#include "bench/bench.hpp"
#include "bench/forgetful.hpp"
#include "bench/live.hpp"
#include "bench/meter.hpp"
#include "decode/intake.hpp"

namespace tapio::bench {

namespace {

constexpr int kIterations = 10;  // each makes the workload anew

// What is done with what was read, as part of what is measured.
using Then = std::function<void(Live&, Intake&)>;

// Fills the buffers, then takes the time of emptying them.
Status read_once(Live& live, const Workload& workload, Meter& meter, const std::uint64_t& read,
                 double& seconds, const std::function<void()>& then) {
  TRY(make(workload));
  const std::uint64_t before = read;
  meter.begin();
  live.consume();
  then();
  seconds = meter.end(read - before);
  return {};
}

// With a reader that does nothing: what the library and the memory cost.
double empty_floor(const Workload& workload) {
  std::uint64_t read = 0;
  Meter meter;
  double seconds = 0;
  const auto live = Live::start(workload.observer, [&](Bytes) { ++read; });
  if (!live || !read_once(**live, workload, meter, read, seconds, [] {})) return 0;
  return meter.ns_per_event();
}

void read(benchmark::State& state, const Recorded& recorded, const Then& then) {
  const Workload& workload = recorded.workload;
  Intake intake;
  const auto take = intake.taker();
  std::uint64_t count = 0;
  auto live = Live::start(workload.observer, [&](Bytes raw) {
    ++count;
    take(raw);
  });
  if (!live) return state.SkipWithError(live.error().what.c_str());
  intake.admit(workload.observer.id, (*live)->programs().ledger());
  Meter meter;
  for ([[maybe_unused]] auto _ : state) {
    double seconds = 0;
    const auto done =
        read_once(**live, workload, meter, count, seconds, [&] { then(**live, intake); });
    if (!done) return state.SkipWithError(done.error().what.c_str());
    state.SetIterationTime(seconds);
  }
  meter.report(state, workload.what, empty_floor(workload), "a reader that does nothing");
}

}  // namespace

void add_reading(const Recorded& recorded) {
  auto block = std::make_shared<std::vector<std::byte>>();
  const Then forget = [block](Live&, Intake& intake) { intake.next(*block, {}); };
  const Then decode = [block](Live& live, Intake& intake) {
    intake.next(*block, {});
    Forgetful out;
    Intake::each(*block, [&](const wire::Sample& sample) {
      benchmark::DoNotOptimize(live.observer().on_sample(sample, out));
    });
  };
  add("RingBufferRead", recorded, kIterations,
      [forget](auto& state, const Recorded& each) { read(state, each, forget); });
  add("EventDecoded", recorded, kIterations,
      [decode](auto& state, const Recorded& each) { read(state, each, decode); });
}

}  // namespace tapio::bench
