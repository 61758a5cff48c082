// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

// What may be asked over the local socket: one line of JSON,
//   {"v":1,"command":"status"|"stories"|"stream"|"reload","since":"10m","names":["process.exec"]}
// The answer is one line of JSON, for `stream` one for each record until the client goes. A refusal
// is {"error":"a sentence","fault":"denied"}.
namespace tapio::serve {

inline constexpr std::uint64_t kProtocol = 1;
inline constexpr std::size_t kMaxRequestBytes = 4096;
inline constexpr std::size_t kMaxNames = 64;

enum class Command : std::uint8_t { status, stories, stream, reload };

struct Request {
  Command command = Command::status;
  std::optional<std::chrono::milliseconds> since{};  // stories: not older; default all
  std::vector<std::string> names{};                  // stream: of these records; empty: all
};

// "250ms", "20s", "10m", "1h".
[[nodiscard]] Result<std::chrono::milliseconds> parse_duration(std::string_view text);

[[nodiscard]] Result<Request> parse_request(std::string_view line);
// Without the newline.
[[nodiscard]] std::string to_json(const Request& request);

[[nodiscard]] std::string error_json(const Error& error);
// The error that an answer is, if it is one.
[[nodiscard]] std::optional<Error> error_in(std::string_view answer);

}  // namespace tapio::serve
