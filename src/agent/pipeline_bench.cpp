// SPDX-License-Identifier: Apache-2.0
// From a record of the kernel's buffer to the line of JSON that a consumer gets: intake, order,
// facts, the world, detectors, stories, redaction, context.
#include "agent/pipeline.hpp"
#include "bench/bench.hpp"
#include "bench/live.hpp"
#include "bench/meter.hpp"
#include "record/json.hpp"

namespace tapio::bench {

namespace {

using agent::Pipeline;

constexpr int kIterations = 3;        // each in a new pipeline
constexpr std::size_t kInPass = 256;  // samples that one pass of the agent works on

// Writes every record as a consumer would, and forgets it.
class Written {
 public:
  void operator()(const std::shared_ptr<const Batch>& batch) {
    for (const Record& record : batch->records) {
      line_.clear();
      append_json(line_, record, batch->clocks);
      benchmark::DoNotOptimize(line_.data());
    }
  }

 private:
  std::string line_;
};

void pass_all(const Samples& samples, Intake& intake, Pipeline& pipeline) {
  const auto take = intake.taker();
  std::vector<std::byte> block;
  for (std::size_t done = 0; done < samples.size();) {
    const std::size_t end = std::min(done + kInPass, samples.size());
    for (; done < end; ++done) take(samples[done]);
    intake.next(block, {});
    pipeline.take(block);
    pipeline.advance(MonotonicTime::max());
    pipeline.flush();
  }
}

void end_to_end(benchmark::State& state, const Recorded& recorded) {
  const Workload& workload = recorded.workload;
  Meter meter;
  for ([[maybe_unused]] auto _ : state) {
    auto live = Live::start(workload.observer, [](Bytes) {});
    if (!live) return state.SkipWithError(live.error().what.c_str());
    (*live)->programs().detach();
    Intake intake;
    intake.admit(workload.observer.id, (*live)->programs().ledger());
    Pipeline pipeline({.run = 1, .redact = {}, .rules = stories()}, Written());
    pipeline.admit(workload.observer, (*live)->take_observer(), agent::Role::full);
    meter.begin();
    pass_all(recorded.samples, intake, pipeline);
    state.SetIterationTime(meter.end(recorded.samples.size()));
  }
  meter.report(state, workload.what, copy_floor(recorded.samples), "memcpy of the same bytes");
}

}  // namespace

void add_end_to_end(const Recorded& recorded) {
  add("EventEndToEnd", recorded, kIterations, end_to_end);
}

}  // namespace tapio::bench
