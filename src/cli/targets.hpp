// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string>
#include <vector>

#include "observer.hpp"

namespace tapio::cli {

// The records that a word on the command line asks for, found in what observers declare:
//   an observer        its records, but for those under another record (process.signal.delivery)
//   a record           it, and those under it
//   its last part      the same; a plural s may be added (signals: process.signal, and below)
[[nodiscard]] Result<std::vector<const Schema*>> resolve(
    std::span<const std::string> words, std::span<const Descriptor* const> observers);

// The words that resolve() knows, for help.
[[nodiscard]] std::vector<std::string> targets(std::span<const Descriptor* const> observers);

}  // namespace tapio::cli
