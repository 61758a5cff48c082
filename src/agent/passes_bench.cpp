// SPDX-License-Identifier: Apache-2.0
#include "agent/passes_bench.hpp"

#include <benchmark/benchmark.h>

#include <algorithm>

#include "record/json.hpp"

namespace tapio::bench {

namespace {

MonotonicTime time_of(Bytes bytes) {
  const auto sample = wire::open_sample(bytes);
  return sample ? MonotonicTime(sample->header.time_ns) : MonotonicTime{};
}

}  // namespace

void Written::operator()(const std::shared_ptr<const Batch>& batch) {
  text_.clear();
  for (const Record& record : batch->records) {
    append_json(text_, record, batch->clocks);
    text_ += '\n';
  }
  benchmark::DoNotOptimize(text_.data());
}

void Passes::all(Samples samples, Intake& intake, agent::Pipeline& pipeline) {
  const auto take = intake.taker();
  std::vector<std::byte> block;
  while (!samples.empty()) {
    const auto pass = samples.first(std::min(kSamples, samples.size()));
    for (const auto& bytes : pass) take(bytes);
    intake.next(block, {});
    pipeline.take(block);
    pipeline.advance(time_of(pass.back()));
    pipeline.flush();
    samples = samples.subspan(pass.size());
  }
}

void Passes::settle(Samples samples, agent::Pipeline& pipeline) {
  constexpr auto kSettled = std::chrono::seconds(5);  // no story takes longer to settle
  pipeline.advance(time_of(samples.back()) + kSettled);
  pipeline.flush();
}

}  // namespace tapio::bench
