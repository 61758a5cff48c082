// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string_view>

#include "record/record.hpp"

namespace tapio {

// The way back from RecordId::text().
[[nodiscard]] std::optional<RecordId> parse_record_id(std::string_view text);

}  // namespace tapio
