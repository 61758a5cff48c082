// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <span>
#include <string_view>

#include "evaluate/engine.hpp"
#include "record/record.hpp"
#include "serve/json.hpp"

// The way back from what append_json() and append_story_json() wrote. Times become wall time, so
// the clocks that belong to them are Clocks{}.
namespace tapio::cli {

// Since the epoch.
[[nodiscard]] std::optional<std::chrono::nanoseconds> parse_rfc3339(std::string_view text);

// A batch with the one record. Fields that the schema does not know are left out, as are values of
// another type than the schema says: another version may have written them.
[[nodiscard]] Result<std::unique_ptr<Batch>> record_from_json(
    std::string_view line, std::span<const Schema* const> schemas);

// Takes both forms of a story: the object of `tapio stories --json`, and its record.
[[nodiscard]] ToldStory story_from_json(const serve::Json& json);

}  // namespace tapio::cli
