// SPDX-License-Identifier: Apache-2.0
#include "oom_score.abi.h"
#include "oom_score.skel.h"
#include "oom_score_config.hpp"
#include "oom_score_hooks.hpp"
#include "oom_score_observer.hpp"

namespace tapio::oom_score {

namespace {

Result<std::unique_ptr<Observer>> start(const Start& start) {
  const auto& config = start.settings.as<Config>();
  TRY(config.check());
  capture::Wishes wishes{.ring_bytes = config.ring.bytes};
  wishes.rate_per_second[TAPIO_NORMAL] = config.rate_per_second;
  TRY(start.programs.load<oom_score_bpf>(
      kHooks, wishes, [&](oom_score_bpf& s) { s.rodata->only_extremes = config.only_extremes; }));
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
};

}  // namespace tapio::oom_score
