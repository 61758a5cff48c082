// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/result.hpp"

namespace tapio::cli {

// A contract with scripts.
enum class Exit : int {
  fine = 0,
  wrong = 1,        // something is wrong, and was found or got in the way
  misused = 2,      // used wrongly or misconfigured
  denied = 3,       // not permitted
  unsupported = 4,  // not possible on this kernel
};

[[nodiscard]] Exit exit_of(Fault fault);

// One printable sentence to standard error; returns the exit code for it.
Exit complain(const Error& error);

// To standard output. A reader that has gone is no error: it had what it wanted.
Exit print(std::string_view text);

}  // namespace tapio::cli
