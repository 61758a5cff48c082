// SPDX-License-Identifier: Apache-2.0
#include "agent/health.hpp"

#include "record/record.hpp"

namespace tapio::agent {

ObserverHealth judge(const Symptoms& symptoms) {
  ObserverHealth result{.health = "healthy"};
  if (!symptoms.reason.empty()) result.why.emplace_back(symptoms.reason);
  if (symptoms.state == "off") {
    result.health = "off";
    return result;
  }
  if (symptoms.state != "on" && symptoms.state != "provider") {
    result.health = symptoms.asked ? "unhealthy" : "off";
    if (result.why.empty()) result.why.emplace_back(symptoms.state);
    return result;
  }
  // As a provider it has its reason too: who needs it.
  if (symptoms.state == "on" && !symptoms.reason.empty()) result.health = "degraded";
  const auto degrade = [&](std::string why) {
    result.health = "degraded";
    result.why.push_back(std::move(why));
  };
  for (const std::string& sentence : symptoms.blind) degrade(sentence);
  if (symptoms.unbalanced) degrade("its ledger does not add up");
  if (symptoms.losing) degrade("events were lost within the last minute, see `loss`");
  return result;
}

bool is_on_purpose(std::string_view reason) {
  return reason == name(TAPIO_SAMPLED_OUT) || reason == name(TAPIO_RATE_LIMITED) ||
         reason == name(TAPIO_AGGREGATED);
}

}  // namespace tapio::agent
