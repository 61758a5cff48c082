// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "evaluate/endings.hpp"
#include "incident.hpp"

namespace tapio {

// What is found out about endings, without the engine.
class Attributed : public Incident {
 protected:
  Attributed() { begin(); }
  void take(const Fact& fact) override { endings.on_fact(fact, world, keep()); }
  void settle(MonotonicTime now = kT + std::chrono::seconds(2)) override {
    endings.on_time(now, world, keep());
  }
  Endings::Handed keep() {
    return [this](const Ending& ending) {
      ends.push_back(ending);
      told.push_back(ending.draft);
    };
  }

  Endings endings;
  std::vector<Ending> ends;
};

}  // namespace tapio
