// SPDX-License-Identifier: Apache-2.0
#include "agent/select.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace tapio::agent {

namespace {

struct Need {
  FactSet facts;
  std::string_view whose;
};

std::vector<std::string_view> who_needs(FactSet provided, std::span<const Need> needs) {
  std::vector<std::string_view> names;
  for (const Need& need : needs)
    if (need.facts & provided) names.push_back(need.whose);
  return names;
}

}  // namespace

std::vector<Selected> select(std::span<const Descriptor* const> observers,
                             const std::function<bool(const Descriptor&)>& enabled,
                             std::span<const RuleDescriptor* const> rules) {
  std::vector<Need> needs;
  for (const auto* rule : rules) needs.push_back({rule->needs, rule->name});
  for (const auto* observer : observers)
    if (enabled(*observer)) needs.push_back({observer->needs, observer->name});

  std::vector<Selected> list;
  for (const auto* observer : observers) {
    if (enabled(*observer)) {
      list.push_back({observer, Selected::As::full, ""});
      continue;
    }
    const auto names = who_needs(observer->provides, needs);
    if (names.empty())
      list.push_back({observer, Selected::As::off, "switched off in the configuration"});
    else
      list.push_back(
          {observer, Selected::As::provider,
           fmt::format("no records; its facts are needed by {}", fmt::join(names, ", "))});
  }
  return list;
}

}  // namespace tapio::agent
