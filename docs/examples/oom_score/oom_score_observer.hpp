// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "observer.hpp"
#include "oom_score.abi.h"
#include "oom_score_schemas.hpp"

namespace tapio::oom_score {

// Turns events into records. Knows nothing of libbpf, so a test feeds it bytes.
class OomScoreObserver final : public Observer {
 public:
  Status on_sample(const wire::Sample& sample, Output& out) override;
};

}  // namespace tapio::oom_score
