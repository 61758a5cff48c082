// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "capture/plan.hpp"

namespace tapio::process {

inline constexpr auto kTyped = capture::Feature::btf | capture::Feature::tp_btf;
inline constexpr auto kRaw = capture::Feature::btf | capture::Feature::raw_tp;

inline constexpr capture::Candidate kForkPrograms[] = {{"fork_btf", kTyped}, {"fork_raw", kRaw}};
inline constexpr capture::Candidate kExecPrograms[] = {{"exec_btf", kTyped}, {"exec_raw", kRaw}};
inline constexpr capture::Candidate kExitPrograms[] = {{"exit_btf", kTyped}, {"exit_raw", kRaw}};
inline constexpr capture::Candidate kDeathPrograms[] = {{"death_btf", kTyped}, {"death_raw", kRaw}};
inline constexpr capture::Candidate kGeneratePrograms[] = {{"generate_btf", kTyped},
                                                           {"generate_raw", kRaw}};
inline constexpr capture::Candidate kDeliverPrograms[] = {{"deliver_btf", kTyped},
                                                          {"deliver_raw", kRaw}};

// In the order of enum tapio_process_hook.
inline constexpr capture::Hook kHooks[] = {
    {"fork", capture::Need::required, capture::Trigger::canary, kForkPrograms},
    {"exec", capture::Need::required, capture::Trigger::canary, kExecPrograms},
    {"exit", capture::Need::required, capture::Trigger::canary, kExitPrograms},
    {"death", capture::Need::optional, capture::Trigger::canary, kDeathPrograms},
    {"signal_generate", capture::Need::optional, capture::Trigger::canary, kGeneratePrograms},
    {"signal_deliver", capture::Need::optional, capture::Trigger::canary, kDeliverPrograms},
};

}  // namespace tapio::process
