// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "agent/pipeline.hpp"

namespace tapio::bench {

// Writes every record as JSON, as a consumer would, and forgets it.
class Written {
 public:
  void operator()(const std::shared_ptr<const Batch>& batch);

 private:
  std::string text_;
};

// What the agent does with samples: intake, order, facts, the world, detectors, stories, redaction,
// context; in passes of so many as come in one when much happens. Time goes on with the samples.
class Passes {
 public:
  using Samples = std::span<const std::vector<std::byte>>;
  // In the order of time. The intake and the pipeline know the observer.
  static void all(Samples samples, Intake& intake, agent::Pipeline& pipeline);
  // Afterwards: what was to settle has settled, so that its stories are told too.
  static void settle(Samples samples, agent::Pipeline& pipeline);

 private:
  static constexpr std::size_t kSamples = 256;  // in one pass
};

}  // namespace tapio::bench
