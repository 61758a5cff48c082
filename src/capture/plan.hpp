// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <span>
#include <string>
#include <vector>

#include "capture/kernel.hpp"

namespace tapio::capture {

// One implementation of a hook: a program in the object and what it needs.
struct Candidate {
  const char* program;
  Feature needs = Feature::none;
  // The whole machine pays for it: only where the setting of this name is on (Wishes::granted).
  const char* setting = nullptr;
};

enum class Need : std::uint8_t { optional, required };

// How the canary makes a hook fire. `passive`: there is no harmless way; it is watched instead.
enum class Trigger : std::uint8_t { canary, passive };

// One thing to observe, best implementation first. At most one candidate is loaded, so the ledger
// has one row per hook: the hook's position in the list. Several hooks may have the same program as
// a candidate: it is attached once, and says in each run whose row it counts in.
struct Hook {
  const char* name;
  Need need;
  Trigger trigger;
  std::span<const Candidate> candidates;  // static storage
};

// Whether nothing serves it unless somebody asks for it.
[[nodiscard]] constexpr bool is_on_request(const Hook& hook) {
  return std::ranges::all_of(hook.candidates, &Candidate::setting);
}

struct Choice {
  const Hook* hook;
  const char* program;  // nullptr: this kernel cannot serve the hook
  std::string reason;   // then why, for people
};

// Pure: kernel facts in, decision out. Everything about "which kernel" is tested here. A choice
// without a program is an error only when the hook is required; see `impossible`.
[[nodiscard]] std::vector<Choice> choose(std::span<const Hook> hooks, const Kernel& kernel);

// The first required hook that got no program, or nullptr.
[[nodiscard]] const Choice* impossible(std::span<const Choice> choices);

}  // namespace tapio::capture
