// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "agent.hpp"
#include "check.hpp"

namespace tapio {

// How a scenario went.
struct Outcome {
  std::string_view name;
  std::string_view what;
  std::vector<std::string> notes;  // what was done
  std::optional<Told> told;
  std::chrono::milliseconds told_after{};  // the end of what was done
  std::vector<std::string> wrong;          // none: passed
};

// What is told must be told within `patience`. That nothing is told is believed when a later death
// has been told of, so a deaf agent does not pass.
[[nodiscard]] Outcome play(const Scenario& scenario, const Agent& agent,
                           std::chrono::milliseconds patience);
// The same with an agent of its own, which starts when the incident begins: it knows who was there
// before from /proc alone.
[[nodiscard]] Outcome play_late(const Scenario& scenario, const std::string& program,
                                std::chrono::milliseconds patience);
// Ends the agent, which must leave nothing behind.
[[nodiscard]] Outcome play_end(Agent& agent);

[[nodiscard]] std::string in_text(const Outcome& outcome);
[[nodiscard]] std::string in_json(const Outcome& outcome);  // one line

}  // namespace tapio
