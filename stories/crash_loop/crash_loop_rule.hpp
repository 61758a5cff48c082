// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <deque>
#include <string>
#include <vector>

#include "evaluate/detections.hpp"

namespace tapio::crash_loop {

// See README.md.
class CrashLoopRule final : public Rule {
 public:
  static constexpr std::size_t kMaxDeaths = 4096;  // beyond: the oldest is not told of

  void on_fact(const Fact& fact, const World& world, Tell& tell) override;

 private:
  struct Death {
    RecordId evidence{};
    ProcessId process;
    MonotonicTime started{}, time{};  // started: 0, not known
    std::int32_t signal = 0;
    std::int32_t code = 0;
    bool core_dumped = false;
  };

  void note(const ProcessExited& fact, const World& world);
  [[nodiscard]] std::vector<Death> deaths_of(const Detected& loop) const;
  static void add_steps(Story& story, const Detected& loop, const std::vector<Death>& deaths,
                        const World& world);
  static std::string step(const Death& death);

  Incidents incidents_;
  std::deque<Death> deaths_;
};

}  // namespace tapio::crash_loop
