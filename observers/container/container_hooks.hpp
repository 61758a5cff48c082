// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "capture/plan.hpp"

namespace tapio::container {

inline constexpr auto kTyped = capture::Feature::btf | capture::Feature::tp_btf;
inline constexpr auto kRaw = capture::Feature::btf | capture::Feature::raw_tp;

inline constexpr capture::Candidate kMkdirPrograms[] = {{"created_btf", kTyped},
                                                        {"created_raw", kRaw}};
inline constexpr capture::Candidate kRmdirPrograms[] = {{"removed_btf", kTyped},
                                                        {"removed_raw", kRaw}};

inline constexpr capture::Candidate kMovePrograms[] = {{"moved_btf", kTyped}, {"moved_raw", kRaw}};

// In the order of enum tapio_container_hook. Passive: a canary would have to make a cgroup, which
// others watch too, and it would be left behind when the agent is killed at the wrong moment.
inline constexpr capture::Hook kHooks[] = {
    {"mkdir", capture::Need::required, capture::Trigger::passive, kMkdirPrograms},
    {"rmdir", capture::Need::required, capture::Trigger::passive, kRmdirPrograms},
    {"move", capture::Need::optional, capture::Trigger::passive, kMovePrograms},
};

}  // namespace tapio::container
