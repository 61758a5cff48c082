// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/json_value.hpp"

namespace tapio::serve {

using tapio::Json;
using tapio::kMaxJsonDepth;
using tapio::kMaxJsonValues;
using tapio::parse_json;

}  // namespace tapio::serve
