// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "capture/plan.hpp"

namespace tapio::dns {

inline constexpr auto kTyped = capture::Feature::btf | capture::Feature::tp_btf;
inline constexpr auto kRaw = capture::Feature::btf | capture::Feature::raw_tp;

inline constexpr capture::Candidate kSendPrograms[] = {{"sent_btf", kTyped}, {"sent_raw", kRaw}};
inline constexpr capture::Candidate kReceivePrograms[] = {{"received_btf", kTyped},
                                                          {"received_raw", kRaw}};

// In the order of enum tapio_dns_hook. Passive: a canary would have to ask somebody's name server.
inline constexpr capture::Hook kHooks[] = {
    {"send", capture::Need::required, capture::Trigger::passive, kSendPrograms},
    {"receive", capture::Need::required, capture::Trigger::passive, kReceivePrograms},
};

}  // namespace tapio::dns
