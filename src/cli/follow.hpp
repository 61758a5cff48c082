// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string_view>

#include "cli/out.hpp"
#include "serve/client.hpp"

namespace tapio::cli {

struct Follow {
  std::function<Result<bool>(std::string_view line)> on_line;  // false: enough
  std::function<Result<bool>()> on_pause;                      // all that has come was handed over
};

// Lines of the agent's stream until there are enough, the time is up, or SIGINT or SIGTERM comes.
// An agent that goes away is an error. One at a time: it takes over these signals.
Status follow(serve::Stream& stream, std::optional<std::chrono::milliseconds> duration,
              const Follow& handle);

}  // namespace tapio::cli
