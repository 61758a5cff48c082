// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <deque>

#include "evaluate/story.hpp"
#include "oom_scope.hpp"
#include "oom_state.hpp"
#include "oom_victims.hpp"

namespace tapio::oom {

// Tells why the kernel killed a process for want of memory. See README.md.
class OomRule final : public Rule {
 public:
  static constexpr std::size_t kMaxLosses = 64;  // windows; beyond: the oldest goes

  void on_fact(const Fact& fact, const World& world, Tell& tell) override;
  void on_time(MonotonicTime now, const World& world, Tell& tell) override;

 private:
  struct Loss {
    MonotonicTime from{}, to{};
    std::uint64_t count = 0;
  };

  void note_loss(const Lost& fact);
  [[nodiscard]] Story explain(const Victim& victim, const World& world);
  void add_looked(Story& story, const Victim& victim, const Scope& scope) const;
  void add_impact(Story& story, const Victim& victim, const World& world) const;
  void add_missing(Story& story, const Victim& victim) const;
  [[nodiscard]] std::uint64_t lost_around(MonotonicTime time) const;

  Victims victims_;
  std::deque<Loss> losses_;  // of the kernel's log
  Foreseen foreseen_;
};

}  // namespace tapio::oom
