// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "base/result.hpp"

// The file of the database, and those that SQLite lays beside it.
namespace tapio::sql {

// Makes the file, and its directory (0700), where they are missing; takes the rights of others from
// the file. denied: a link, of somebody else, or where somebody else may lay files beside ours.
Status prepare_file(const std::string& path);

// Puts a damaged file aside, as <path>.corrupt-<seconds since the epoch>, with its log; an older
// one goes. Returns the new name.
Result<std::string> put_aside(const std::string& path, std::chrono::nanoseconds now);

// Bytes of the log beside it; 0: none.
[[nodiscard]] std::uint64_t log_bytes(const std::string& path);

}  // namespace tapio::sql
