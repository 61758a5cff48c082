// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "record/record.hpp"

// What findings have in common: records that say that something is wrong.
namespace tapio {

// info: worth knowing, happens on healthy machines too. warning: somebody should look. critical:
// something is broken, or under attack, now.
enum class Severity : std::uint8_t { info, warning, critical };
[[nodiscard]] std::string_view name(Severity severity);

// For the schemas of findings, in this order, before their own.
inline constexpr Field kSeverity{"severity", Type::text, "info, warning or critical.", "SEVERITY"};
inline constexpr Field kEntity{"entity", Type::text, "Whom it is about: nginx (pid 812).", "WHO"};
inline constexpr Field kSummary{"summary", Type::text, "What is wrong, in a sentence.", "FINDING"};
inline constexpr Field kSuggestion{"suggestion", Type::text, "What to do about it."};
inline constexpr Field kCount{"count", Type::u64, "How often it happened.", "COUNT", "1"};
inline constexpr Field kWindow{"window", Type::duration, "Within what time.", "WITHIN", "s"};
inline constexpr Field kEvidence{"evidence", Type::texts, "Ids of the records that say so."};

}  // namespace tapio
