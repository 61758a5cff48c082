// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "serve/backlog.hpp"

namespace tapio::serve {

// As append_json() of a gap record, but for the id: nobody else has this gap.
void append_gap_json(std::string& out, const Missing& missing, std::string_view reason);

}  // namespace tapio::serve
