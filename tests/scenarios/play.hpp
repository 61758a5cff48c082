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

[[nodiscard]] std::string in_text(const Outcome& outcome);
[[nodiscard]] std::string in_json(const Outcome& outcome);  // one line

}  // namespace tapio
