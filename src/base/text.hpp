// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

// Text from the kernel is bytes that a stranger chose. These are the ways out.
namespace tapio {

// Bytes of the well-formed UTF-8 code point (RFC 3629) that `text` starts with, or 0.
[[nodiscard]] std::size_t utf8_length(std::string_view text);

// For terminals: control characters, DEL, C1 controls, line separators, bidirectional overrides and
// bytes that are not UTF-8 become \n, \t, \xNN or \u{NNNN}; the rest, UTF-8 included, stays. A
// backslash stays.
void append_printable(std::string& out, std::string_view text);
[[nodiscard]] std::string printable(std::string_view text);

// For JSON (RFC 8259), quotes included. Valid UTF-8 passes, but for what would steer a terminal:
// that is written \uNNNN, which means the same. Each byte that is not UTF-8 becomes \u00NN, so that
// nothing is lost and the line stays valid.
void append_json_string(std::string& out, std::string_view text);

// For formats that want UTF-8 and nothing else: each byte that is not becomes the code point of its
// number, as in JSON.
[[nodiscard]] std::string utf8(std::string_view text);

// Columns that `text` takes on a terminal: one per code point. Wants printable text.
[[nodiscard]] std::size_t columns(std::string_view text);

// The known word nearest to a mistyped one, the first of equals, or "": at most 3 letters (and less
// than half of the mistyped word) added, dropped, replaced, or swapped with their neighbour.
[[nodiscard]] std::string_view nearest(std::string_view word, std::span<const std::string> known);

// How a shell would need it to get the same argument: unchanged, or in single quotes.
void append_shell_word(std::string& out, std::string_view word);

}  // namespace tapio
