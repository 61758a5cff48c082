// SPDX-License-Identifier: Apache-2.0
#include "base/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <iterator>
#include <numeric>
#include <vector>

namespace tapio {

namespace {

// RFC 3629 section 4: the second byte is what excludes overlong forms, surrogates and anything
// above U+10FFFF.
struct Lead {
  std::size_t length;
  unsigned char second_least, second_most;
};

Lead lead(unsigned char byte) {
  if (byte >= 0xC2 && byte <= 0xDF) return {2, 0x80, 0xBF};
  if (byte == 0xE0) return {3, 0xA0, 0xBF};
  if (byte == 0xED) return {3, 0x80, 0x9F};
  if (byte >= 0xE1 && byte <= 0xEF) return {3, 0x80, 0xBF};
  if (byte == 0xF0) return {4, 0x90, 0xBF};
  if (byte >= 0xF1 && byte <= 0xF3) return {4, 0x80, 0xBF};
  if (byte == 0xF4) return {4, 0x80, 0x8F};
  return {0, 0, 0};
}

unsigned char byte_at(std::string_view text, std::size_t i) {
  return static_cast<unsigned char>(text[i]);
}

char32_t code_point(std::string_view utf8) {
  if (utf8.size() == 1) return byte_at(utf8, 0);
  char32_t point = byte_at(utf8, 0) & (0x7Fu >> utf8.size());
  for (std::size_t i = 1; i < utf8.size(); ++i) point = point << 6 | (byte_at(utf8, i) & 0x3Fu);
  return point;
}

// Moves the cursor, starts a line or turns the direction of what follows (Unicode: Bidi_Control,
// Zl, Zp).
bool steers_a_terminal(char32_t point) {
  if (point < 0x20 || (point >= 0x7F && point <= 0x9F)) return true;
  if (point < 0x061C) return false;
  return point == 0x061C || point == 0x200E || point == 0x200F ||
         (point >= 0x2028 && point <= 0x202E) || (point >= 0x2066 && point <= 0x2069);
}

constexpr bool is_plain_ascii(char c) {
  return c >= ' ' && c <= '~';
}

template <typename... Args>
void put(std::string& out, fmt::format_string<Args...> format, Args&&... args) {
  fmt::format_to(std::back_inserter(out), format, std::forward<Args>(args)...);
}

void put_printable(std::string& out, char32_t point) {
  if (point == '\n')
    out += "\\n";
  else if (point == '\t')
    out += "\\t";
  else if (point < 0x80)
    put(out, "\\x{:02x}", static_cast<std::uint32_t>(point));
  else
    put(out, "\\u{{{:04x}}}", static_cast<std::uint32_t>(point));
}

void put_json_ascii(std::string& out, char c) {
  if (c == '"' || c == '\\')
    (out += '\\') += c;
  else if (c == '\n')
    out += "\\n";
  else if (c == '\t')
    out += "\\t";
  else
    put(out, "\\u{:04x}", static_cast<unsigned char>(c));
}

bool needs_no_quotes(std::string_view word) {
  const auto safe = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("_@%+=:,./-").contains(c);
  };
  // "=ls" is the path of ls to zsh.
  return !word.empty() && word.front() != '=' && std::ranges::all_of(word, safe);
}

// Optimal string alignment: Levenshtein, and a swap of neighbours counts once.
std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> before_last(b.size() + 1), last(b.size() + 1), row(b.size() + 1);
  std::iota(row.begin(), row.end(), 0);
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::swap(before_last, last);
    std::swap(last, row);
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replaced = last[j - 1] + (a[i - 1] != b[j - 1]);
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, replaced});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        row[j] = std::min(row[j], before_last[j - 2] + 1);
    }
  }
  return row.back();
}

}  // namespace

std::size_t utf8_length(std::string_view text) {
  if (text.empty()) return 0;
  if (byte_at(text, 0) < 0x80) return 1;
  const auto [length, least, most] = lead(byte_at(text, 0));
  if (length == 0 || text.size() < length) return 0;
  if (byte_at(text, 1) < least || byte_at(text, 1) > most) return 0;
  for (std::size_t i = 2; i < length; ++i)
    if ((byte_at(text, i) & 0xC0) != 0x80) return 0;
  return length;
}

void append_printable(std::string& out, std::string_view text) {
  while (!text.empty()) {
    const auto plain = std::ranges::find_if_not(text, is_plain_ascii) - text.begin();
    out.append(text.substr(0, static_cast<std::size_t>(plain)));
    text.remove_prefix(static_cast<std::size_t>(plain));
    if (text.empty()) return;
    const auto length = utf8_length(text);
    if (length == 0)
      put(out, "\\x{:02x}", byte_at(text, 0));
    else if (const auto point = code_point(text.substr(0, length)); steers_a_terminal(point))
      put_printable(out, point);
    else
      out.append(text.substr(0, length));
    text.remove_prefix(std::max<std::size_t>(length, 1));
  }
}

std::string printable(std::string_view text) {
  std::string out;
  append_printable(out, text);
  return out;
}

void append_json_string(std::string& out, std::string_view text) {
  static constexpr auto kPasses = [] {
    std::array<bool, 256> passes{};
    for (std::size_t c = 0; c < passes.size(); ++c)
      passes[c] = is_plain_ascii(static_cast<char>(c)) && c != '"' && c != '\\';
    return passes;
  }();
  const auto passes = [](char c) { return kPasses[static_cast<unsigned char>(c)]; };
  out += '"';
  while (!text.empty()) {
    const auto plain = std::ranges::find_if_not(text, passes) - text.begin();
    out.append(text.substr(0, static_cast<std::size_t>(plain)));
    text.remove_prefix(static_cast<std::size_t>(plain));
    if (text.empty()) break;
    const auto length = utf8_length(text);
    if (length <= 1)
      put_json_ascii(out, text[0]);
    else if (const auto point = code_point(text.substr(0, length)); steers_a_terminal(point))
      put(out, "\\u{:04x}", static_cast<std::uint32_t>(point));
    else
      out.append(text.substr(0, length));
    text.remove_prefix(std::max<std::size_t>(length, 1));
  }
  out += '"';
}

std::string utf8(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const auto length = utf8_length(text);
    if (length > 0) {
      out.append(text.substr(0, length));
    } else {  // 0x80 and above: two bytes of UTF-8
      const unsigned char byte = byte_at(text, 0);
      out += static_cast<char>(0xC0 | byte >> 6);
      out += static_cast<char>(0x80 | (byte & 0x3F));
    }
    text.remove_prefix(std::max<std::size_t>(length, 1));
  }
  return out;
}

std::size_t columns(std::string_view text) {
  return static_cast<std::size_t>(
      std::ranges::count_if(text, [](unsigned char c) { return (c & 0xC0) != 0x80; }));
}

std::string_view nearest(std::string_view word, std::span<const std::string> known) {
  constexpr std::size_t kMostEdits = 3;
  std::string_view best;
  std::size_t least = kMostEdits + 1;
  for (const std::string& candidate : known) {
    const auto longer = std::max(word.size(), candidate.size());
    if (longer - std::min(word.size(), candidate.size()) > kMostEdits) continue;
    const auto edits = edit_distance(word, candidate);
    if (edits >= least || 2 * edits >= word.size()) continue;
    best = candidate;
    least = edits;
  }
  return best;
}

void append_shell_word(std::string& out, std::string_view word) {
  if (needs_no_quotes(word)) {
    out.append(word);
    return;
  }
  out += '\'';
  for (const char c : word) {
    if (c == '\'')
      out += "'\\''";
    else
      out += c;
  }
  out += '\'';
}

}  // namespace tapio
