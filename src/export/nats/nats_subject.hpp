// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "record/record.hpp"

namespace tapio::nats {

// What a token of a subject is made of: letters, digits, _ and -. A dot becomes -, so that it does
// not begin another token; all else becomes _.
[[nodiscard]] char as_token(char c);
// At most kMaxToken bytes; "_" for nothing.
inline constexpr std::size_t kMaxToken = 64;
void append_token(std::string& out, std::string_view text);

// "<prefix>.<node>.<observer>.<class>.<kind>.<name>": always so many tokens, whatever the record.
// `begin` is all before the observer, with its last dot.
//   process.signal.delivery   process.normal.event.signal-delivery
//   a story of the rule oom   stories.normal.story.oom
//   a gap in dns records      dns.bulk.gap.ring_full      (all.… when it concerns all observers)
void append_subject(std::string& out, std::string_view begin, const Record& record);

// "<node>/<id>": unique, and the same each time the record is sent. A story that is told again
// has the id it had, and is another message: "<node>/<id>/<revision>".
void append_message_id(std::string& out, std::string_view node, const Record& record);

}  // namespace tapio::nats
