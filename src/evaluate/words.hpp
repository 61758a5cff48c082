// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace tapio {

// As people say it, with two digits or so: "850 ns", "0.2 ms", "12 s", "3 h", "5 days".
[[nodiscard]] std::string in_words(std::chrono::nanoseconds time);

// "24 MiB", "1.5 GiB", "812 KiB": cut rather than rounded.
[[nodiscard]] std::string size_in_words(std::uint64_t bytes);

// "almost certain", "very likely", "likely", "possible", "unclear".
[[nodiscard]] std::string_view confidence_in_words(double confidence);

}  // namespace tapio
