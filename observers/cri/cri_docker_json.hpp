// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "cri_runtime.hpp"

// The answers of Docker's REST API, which podman has too. Faults are `invalid`.
namespace tapio::cri::docker_json {

[[nodiscard]] Result<Version> version(std::string_view text);
// GET /containers/json
[[nodiscard]] Result<std::vector<Described>> containers(std::string_view text);
// GET /containers/ID/json
[[nodiscard]] Result<Described> container(std::string_view text);
[[nodiscard]] Result<std::vector<Image>> images(std::string_view text);
// A line of GET /events; nothing: it is not about what is wanted.
[[nodiscard]] std::optional<Heard> event(std::string_view line);

}  // namespace tapio::cri::docker_json
