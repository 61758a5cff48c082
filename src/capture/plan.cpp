// SPDX-License-Identifier: Apache-2.0
#include "capture/plan.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace tapio::capture {

namespace {

bool runs_on(const Candidate& candidate, const Kernel& kernel) {
  return covers(kernel.features, candidate.needs) && !kernel.refused.contains(candidate.program) &&
         (!candidate.setting || kernel.granted.contains(candidate.setting));
}

std::string why_not(const Candidate& candidate, const Kernel& kernel) {
  const auto refused = kernel.refused.find(candidate.program);
  if (refused != kernel.refused.end())
    return fmt::format("{} was refused: {}", candidate.program, refused->second);
  const auto lacking = without(candidate.needs, kernel.features & candidate.needs);
  if (lacking != Feature::none)
    return fmt::format("{} needs {}", candidate.program, names(lacking));
  return fmt::format("{} needs {}: true", candidate.program, candidate.setting);
}

Choice choose(const Hook& hook, const Kernel& kernel) {
  const auto best =
      std::ranges::find_if(hook.candidates, [&](const Candidate& c) { return runs_on(c, kernel); });
  if (best != hook.candidates.end()) return {&hook, best->program, ""};
  std::string reason;
  for (const Candidate& candidate : hook.candidates)
    reason.append(reason.empty() ? "" : "; ").append(why_not(candidate, kernel));
  return {&hook, nullptr, std::move(reason)};
}

}  // namespace

std::vector<Choice> choose(std::span<const Hook> hooks, const Kernel& kernel) {
  std::vector<Choice> choices;
  for (const Hook& hook : hooks) choices.push_back(choose(hook, kernel));
  return choices;
}

const Choice* impossible(std::span<const Choice> choices) {
  const auto found = std::ranges::find_if(choices, [](const Choice& choice) {
    return !choice.program && choice.hook->need == Need::required;
  });
  return found == choices.end() ? nullptr : &*found;
}

}  // namespace tapio::capture
