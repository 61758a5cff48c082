// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cli/agent.hpp"

namespace tapio::cli {

// The whole program; returns its exit code, see exit.hpp. Does by itself what needs no kernel side.
[[nodiscard]] int main(int argc, const char* const* argv, Agent& agent);

}  // namespace tapio::cli
