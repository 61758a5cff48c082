// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "agent/pipeline.hpp"
#include "base/config.hpp"
#include "replay/recorder.hpp"

namespace tapio::agent {

// What an input means to the pipeline. Starts of observers and the end are for who reads them.
void apply(const replay::Input& input, Pipeline& pipeline);

// The one way into the pipeline of a live agent, and where a recording is taken.
class Inlet {
 public:
  Inlet(Pipeline& pipeline, replay::Recorder* recorder)
      : pipeline_(pipeline), recorder_(recorder) {}

  void operator()(const replay::Input& input) {
    if (recorder_) recorder_->write(input);
    apply(input, pipeline_);
  }
  // Samples as they were read. While they are recorded, the pipeline too gets them as the file has
  // them: without secrets.
  void take(Bytes block);

 private:
  Bytes concealed(Bytes block);

  Pipeline& pipeline_;
  replay::Recorder* recorder_;
  std::vector<std::byte> clean_, sample_;
};

// Of a recording by this agent.
[[nodiscard]] replay::Header header_of(const config::Tree& configuration, std::uint32_t run);

}  // namespace tapio::agent
