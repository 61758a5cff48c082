// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "record/tally.hpp"

namespace tapio::otlp {

enum class Signal : std::uint8_t { logs, metrics, traces };
inline constexpr std::size_t kSignals = 3;
inline constexpr std::array<Signal, kSignals> kAllSignals = {Signal::logs, Signal::metrics,
                                                             Signal::traces};
[[nodiscard]] constexpr std::string_view name(Signal signal) {
  return std::array<std::string_view, kSignals>{"logs", "metrics",
                                                "traces"}[static_cast<std::size_t>(signal)];
}

// What is sent at once.
struct Request {
  Signal signal{};
  Tally tally;  // the records in it that no other request has
  bool gzip = false;
  std::string body;
};

}  // namespace tapio::otlp
