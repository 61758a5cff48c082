// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "evaluate/detections.hpp"

namespace tapio::exec_failure {

// See README.md.
class ExecFailureRule final : public Rule {
 public:
  void on_fact(const Fact& fact, const World& world, Tell& tell) override;

 private:
  Incidents incidents_;
};

}  // namespace tapio::exec_failure
