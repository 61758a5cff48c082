// SPDX-License-Identifier: Apache-2.0
#include "oom_score.abi.h"
#include "oom_score.skel.h"
#include "oom_score_config.hpp"
#include "oom_score_hooks.hpp"
#include "oom_score_observer.hpp"

namespace tapio::oom_score {

namespace {

capture::Wishes wishes(const config::Section& settings) {
  const auto& config = settings.as<Config>();
  capture::Wishes wishes{.ring_bytes = config.ring.bytes};
  wishes.rate_per_second[TAPIO_NORMAL] = config.rate_per_second;
  return wishes;
}

Result<std::unique_ptr<Observer>> start(const Start& start) {
  const auto& config = start.settings.as<Config>();
  TRY(config.check());
  TRY(start.programs.load<oom_score_bpf>(kHooks, wishes(start.settings), [&](oom_score_bpf& s) {
    s.rodata->only_extremes = config.only_extremes;
  }));
  return std::make_unique<OomScoreObserver>();
}

}  // namespace

extern const Descriptor descriptor;
const Descriptor descriptor{
    .name = "oom_score",
    .id = TAPIO_OOM_SCORE_CHANGED >> 8,
    .summary = "Who is to be killed when memory runs out, and who changes that.",
    .hooks = kHooks,
    .schemas = kSchemas,
    .settings = config::section<Config>,
    .start = start,
    .wishes = wishes,
    .views = kViews,
};

}  // namespace tapio::oom_score
