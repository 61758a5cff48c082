// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "record/record.hpp"

namespace tapio::cli {

// A condition on a record: a field called `key`, or whose name ends in ".key", has one of the
// values. "pid=42" so holds for process.pid and for signal.target.pid.
struct Where {
  std::string key;
  std::vector<std::string> values;
  bool operator==(const Where&) const = default;
};

// "key=value", "key=value,other".
[[nodiscard]] Result<Where> parse_where(std::string_view text);

// All conditions hold. A record that lacks the field does not match.
[[nodiscard]] bool matches(const Record& record, std::span<const Where> where);

// Whether records of the schema can have it at all.
[[nodiscard]] bool may_have(const Schema& schema, std::string_view key);

}  // namespace tapio::cli
