// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "record/record.hpp"

namespace tapio {

// In the stream of every consumer whenever something was dropped, so that silence always means that
// nothing happened.
inline constexpr SchemaOf kGap{
    "gap",
    Kind::gap,
    "Records are missing here.",
    Field{"observer", Type::text, "Whose records.", "OBSERVER"},
    Field{"class", Type::text, "state, critical, normal or bulk.", "CLASS"},
    Field{"stage", Type::text,
          "Where: kernel, queue, decode, records, stories, sink:NAME or stream.", "STAGE"},
    Field{"reason", Type::text, "Why, as in the ledger.", "REASON"},
    Field{"from", Type::time, "Not before this.", "FROM"},
    Field{"to", Type::time, "Not after this.", "TO"},
    Field{"count", Type::u64, "How many.", "COUNT", "1"}};

}  // namespace tapio
