// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

// What cannot be seen, in a sentence for World::blind_spots(); "": nothing is amiss.
namespace tapio::agent {

// By the state of an observer: "on", "provider", "off", "unsupported", "denied", "failed".
[[nodiscard]] std::string blind_without(std::string_view observer, std::string_view state,
                                        std::string_view reason);
// By a hook of one that runs: the program that serves it, and what became of its canary.
[[nodiscard]] std::string blind_in(std::string_view observer, std::string_view hook,
                                   std::string_view program, std::string_view canary);

}  // namespace tapio::agent
