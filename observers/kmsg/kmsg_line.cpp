// SPDX-License-Identifier: Apache-2.0
#include "kmsg_line.hpp"

#include <charconv>

namespace tapio::kmsg {

namespace {

template <typename T>
std::optional<T> number(std::string_view text, int base = 10) {
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (error != std::errc() || end != text.data() + text.size() || text.empty()) return {};
  return value;
}

// Up to the separator, which is taken off as well.
std::string_view take(std::string_view& rest, char separator) {
  const auto end = rest.find(separator);
  const auto taken = rest.substr(0, end);
  rest.remove_prefix(end == rest.npos ? rest.size() : end + 1);
  return taken;
}

std::string unescaped(std::string_view text) {
  constexpr std::size_t kEscape = 4;  // \xNN
  std::string plain;
  plain.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto at = text.substr(i, kEscape);
    const auto byte = at.size() == kEscape && at.starts_with("\\x")
                          ? number<std::uint8_t>(at.substr(2), 16)
                          : std::nullopt;
    plain += byte ? static_cast<char>(*byte) : text[i];
    if (byte) i += kEscape - 1;
  }
  return plain;
}

}  // namespace

std::optional<std::uint64_t> unsigned_number(std::string_view text) {
  return number<std::uint64_t>(text);
}

std::optional<std::int64_t> signed_number(std::string_view text) {
  return number<std::int64_t>(text);
}

std::optional<Line> parse_line(std::string_view record) {
  constexpr int kFacilityShift = 3;
  const auto semicolon = record.find(';');
  if (semicolon == record.npos) return {};
  auto head = record.substr(0, semicolon);
  const auto priority = number<std::uint32_t>(take(head, ','));
  const auto sequence = number<std::uint64_t>(take(head, ','));
  const auto microseconds = number<std::uint64_t>(take(head, ','));
  if (!priority || !sequence || !microseconds) return {};
  auto text = record.substr(semicolon + 1);
  text = text.substr(0, text.find('\n'));
  return Line{.facility = *priority >> kFacilityShift,
              .sequence = *sequence,
              .microseconds = *microseconds,
              .text = unescaped(text)};
}

}  // namespace tapio::kmsg
