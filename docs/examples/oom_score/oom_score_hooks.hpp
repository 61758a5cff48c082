// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "capture/plan.hpp"

namespace tapio::oom_score {

// Best first: the first whose needs the kernel meets is loaded.
inline constexpr capture::Candidate kUpdatePrograms[] = {
    {"changed_btf", capture::Feature::btf | capture::Feature::tp_btf},
    {"changed_raw", capture::Feature::btf | capture::Feature::raw_tp},
};

// In the order of enum tapio_oom_score_hook. Passive: the canary changes no score.
inline constexpr capture::Hook kHooks[] = {
    {"update", capture::Need::required, capture::Trigger::passive, kUpdatePrograms},
};

}  // namespace tapio::oom_score
