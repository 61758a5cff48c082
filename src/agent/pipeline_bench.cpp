// SPDX-License-Identifier: Apache-2.0
// From a record of the kernel's buffer to the line of JSON that a consumer gets, all on one core.
// What it takes to read the buffer is not in it, see RingBufferRead and its floor.
#include "agent/passes_bench.hpp"
#include "bench/bench.hpp"
#include "bench/meter.hpp"

namespace tapio::bench {

namespace {

using agent::Pipeline;

constexpr int kIterations = 10;  // each in a new pipeline

struct Agent {
  explicit Agent(const Workload& workload) : live(Live::start(workload.observer, [](Bytes) {})) {
    if (!live) return;
    (*live)->programs().detach();
    intake.admit(workload.observer.id, (*live)->programs().ledger());
    pipeline.admit(workload.observer, (*live)->take_observer(), agent::Role::full);
  }

  Result<std::unique_ptr<Live>> live;
  Intake intake;
  Pipeline pipeline{{.run = 1, .redact = {}, .rules = stories()}, Written()};
};

void end_to_end(benchmark::State& state, const Recorded& recorded) {
  Meter meter;
  for ([[maybe_unused]] auto _ : state) {
    Agent agent(recorded.workload);
    if (!agent.live) return state.SkipWithError(agent.live.error().what.c_str());
    meter.begin();
    Passes::all(recorded.samples, agent.intake, agent.pipeline);
    Passes::settle(recorded.samples, agent.pipeline);
    state.SetIterationTime(meter.end(recorded.samples.size()));
  }
  meter.report(state, recorded.workload.what, copy_floor(recorded.samples),
               "memcpy of the same bytes");
}

Samples of_kind(std::span<const std::vector<std::byte>> samples, std::uint16_t kind) {
  Samples chosen;
  for (const auto& bytes : samples)
    if (const auto sample = wire::open_sample(bytes); sample && sample->header.kind == kind)
      chosen.push_back(bytes);
  return chosen;
}

// As end to end, but in each stretch of time one kind comes after the other. Returns the seconds
// that `kind` took.
double pass_apart(const Recorded& recorded, std::uint16_t kind, Agent& agent, Meter& meter) {
  constexpr std::size_t kStretch = 1024;
  double seconds = 0;
  for (std::span rest(recorded.samples); !rest.empty();) {
    const auto stretch = rest.first(std::min(kStretch, rest.size()));
    for (const auto& part : recorded.workload.parts) {
      const Samples samples = of_kind(stretch, part.kind);
      if (part.kind == kind) meter.begin();
      Passes::all(samples, agent.intake, agent.pipeline);
      if (part.kind == kind) seconds += meter.end(samples.size());
    }
    rest = rest.subspan(stretch.size());
  }
  return seconds;
}

void one_kind(benchmark::State& state, const Recorded& recorded, std::uint16_t kind) {
  Meter meter;
  for ([[maybe_unused]] auto _ : state) {
    Agent agent(recorded.workload);
    if (!agent.live) return state.SkipWithError(agent.live.error().what.c_str());
    state.SetIterationTime(pass_apart(recorded, kind, agent, meter));
  }
  meter.report(state, recorded.workload.what, copy_floor(of_kind(recorded.samples, kind)),
               "memcpy of the same bytes");
}

}  // namespace

void add_end_to_end(const Recorded& recorded) {
  add("EventEndToEnd", recorded, kIterations, end_to_end);
  for (const auto& part : recorded.workload.parts)
    add(fmt::format("EventEndToEnd/{}", part.name).c_str(), recorded, kIterations,
        [&part](benchmark::State& state, const Recorded& each) {
          one_kind(state, each, part.kind);
        });
}

}  // namespace tapio::bench
