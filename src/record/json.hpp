// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "record/record.hpp"

namespace tapio {

// One JSON object (RFC 8259) in one line, without the newline. First what every record has: type,
// name, time, id; then who acted, as far as known; then the schema's fields in their order. What is
// not known has no key. A field of the schema takes the place of a common key of the same name.
// Durations are seconds, times RFC 3339 in UTC, numbers that JSON cannot hold are null.
void append_json(std::string& out, const Record& record, const Clocks& clocks);

}  // namespace tapio
