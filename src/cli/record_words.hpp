// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "serve/json.hpp"

// A record, as its JSON has it, in words. Everything that comes out is printable.
namespace tapio::cli {

// At most so many columns of the terminal, the last of them then an ellipsis. Wants printable text.
[[nodiscard]] std::string shortened(std::string_view text, std::size_t columns);

// "sleep (pid 42)", "pid 42"; "the kernel" when nobody acted.
[[nodiscard]] std::string actor(const serve::Json& record);

// What happened: "bash (pid 7) sent SIGKILL to sleep (pid 42): delivered".
[[nodiscard]] std::string what_happened(const serve::Json& record);

// Since the epoch; 0: none.
[[nodiscard]] std::chrono::nanoseconds time_of(const serve::Json& record);

// "673e9a10.42  2026-11-21T03:18:00.688359Z  process.signal  bash (pid 7) sent ...".
[[nodiscard]] std::string record_line(const serve::Json& record);

}  // namespace tapio::cli
