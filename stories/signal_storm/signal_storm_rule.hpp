// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "evaluate/detections.hpp"

namespace tapio::signal_storm {

// See README.md.
class SignalStormRule final : public Rule {
 public:
  void on_fact(const Fact& fact, const World& world, Tell& tell) override;

 private:
  Incidents incidents_;
};

}  // namespace tapio::signal_storm
