// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/clock.hpp"

// Values as people read them: short, cut rather than rounded, so that nothing looks larger than it
// is.
namespace tapio {

// "12ns", "1.2us", "1.2ms", "3.4s", "2m3s", "5h6m", "7d8h".
void append_human(std::string& out, std::chrono::nanoseconds duration);
// "512B", "1.2KiB", "3.4MiB".
void append_human_bytes(std::string& out, std::uint64_t bytes);
// "02:03:04.567" in local time.
void append_human_time(std::string& out, std::chrono::nanoseconds since_epoch);

// As many columns of printable text, with an ellipsis in the place of the rest.
[[nodiscard]] std::string cut(std::string_view text, std::size_t most);

}  // namespace tapio
