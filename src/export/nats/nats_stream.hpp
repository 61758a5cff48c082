// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "nats_config.hpp"

// JetStream's own subjects.
namespace tapio::nats {

[[nodiscard]] std::string create_stream_subject(const Config& config);
// What to send there.
[[nodiscard]] std::string create_stream_json(const Config& config);

}  // namespace tapio::nats
