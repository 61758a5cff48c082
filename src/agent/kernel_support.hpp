// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "capture/plan.hpp"
#include "serve/json.hpp"

namespace tapio::agent {

// docs/kernel-support.json as it was when this program was built: what the kernel matrix saw.
std::string_view kernel_support();

struct Running {
  std::string_view release, machine;  // as uname(2) says
};

// One sentence about a hook that no program serves on the running kernel: whether the matrix saw
// one work on that release, or else on another of the same major.minor. "" when it knows neither.
// The hook's `candidates` tell which program has to be asked for by a setting.
[[nodiscard]] std::string known_about(const serve::Json& support, const Running& running,
                                      std::string_view observer, std::string_view hook,
                                      std::span<const capture::Candidate> candidates);

}  // namespace tapio::agent
