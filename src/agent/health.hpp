// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace tapio::agent {

// How well an observer does what it was told to do.
struct ObserverHealth {
  std::string_view health;       // healthy | degraded | unhealthy | off
  std::vector<std::string> why;  // a sentence each; none: healthy
};

// What it is judged by.
struct Symptoms {
  std::string_view state;          // on | provider | off | unsupported | denied | failed
  std::string_view reason;         // of the state
  bool asked = true;               // false: it is off, and others could do with its facts
  std::vector<std::string> blind;  // what its hooks do not see, see blind_spots.hpp
  bool unbalanced = false;         // its ledger does not add up
  bool losing = false;             // events were lost that nobody wanted to lose, not long ago
};

[[nodiscard]] ObserverHealth judge(const Symptoms& symptoms);

// Whether a loss is what the configuration asks for: a sample, a rate, a share.
[[nodiscard]] bool is_on_purpose(std::string_view reason);

}  // namespace tapio::agent
