// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "evaluate/story.hpp"
#include "observer.hpp"

namespace tapio::agent {

// Which observers are loaded, and what for.
struct Selected {
  const Descriptor* descriptor;
  enum class As : std::uint8_t { off, full, provider } as;
  std::string reason;  // for people: why off, or for whom a provider
};

// Pure. What is enabled is loaded in full; what is not, but provides a fact that an enabled
// observer or a rule needs, is loaded as a provider.
[[nodiscard]] std::vector<Selected> select(std::span<const Descriptor* const> observers,
                                           const std::function<bool(const Descriptor&)>& enabled,
                                           std::span<const RuleDescriptor* const> rules);

}  // namespace tapio::agent
