// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

#include "serve/json.hpp"

namespace tapio::serve {

// The text format of Prometheus, version 0.0.4. A family is begun, and gets its samples.
class Exposition {
 public:
  enum class Kind : std::uint8_t { counter, gauge };
  struct Label {
    std::string_view name, value;
  };

  void family(std::string_view name, Kind kind, std::string_view help);
  void sample(std::initializer_list<Label> labels, double value);
  // As append_label() made them.
  void sample(std::string_view labels, double value);
  [[nodiscard]] std::string text() && { return std::move(text_); }

 private:
  std::string text_;
  std::string family_;
};

// Adds name="value", with a comma in front when there is something already. A value is whatever a
// stranger called himself: it becomes printable, and is cut.
inline constexpr std::size_t kMaxLabelBytes = 128;
void append_label(std::string& labels, std::string_view name, std::string_view value);

// "process.signal.surplus" as part of a name: "process_signal_surplus".
[[nodiscard]] std::string metric_word(std::string_view name);

// The agent's own figures, from what `tapio status --json` says.
void append_status(Exposition& out, const Json& status);

}  // namespace tapio::serve
