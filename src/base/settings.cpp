// SPDX-License-Identifier: Apache-2.0
#include "base/settings.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>
#include <optional>

#include "base/text.hpp"

namespace tapio::config {

namespace {

constexpr std::size_t kQuotedMost = 60;  // bytes of a value in an error sentence

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

// Digits only, without a sign or leading zeros: "010" would be 8 to half of the YAML readers.
std::optional<std::uint64_t> whole_number(std::string_view text) {
  if (text.empty() || !std::ranges::all_of(text, is_digit)) return {};
  if (text.size() > 1 && text.front() == '0') return {};
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{}) return {};
  return value;
}

bool is_too_large(std::string_view text) {
  return !text.empty() && text.front() != '0' && std::ranges::all_of(text, is_digit);
}

Status parse_whole(std::string_view text, std::uint64_t most, std::uint64_t& out) {
  const auto value = whole_number(text);
  if (value && *value <= most) return out = *value, Status{};
  if (is_too_large(text))
    return invalid(fmt::format("{} is too large, give at most {}", shown(text), most));
  return invalid(
      fmt::format("{} is not a whole number, write digits only, such as 200", shown(text)));
}

struct Unit {
  std::string_view name;
  std::uint64_t factor;
};
constexpr std::array kSizes = {Unit{"TiB", 1ULL << 40}, Unit{"GiB", 1ULL << 30},
                               Unit{"MiB", 1ULL << 20}, Unit{"KiB", 1ULL << 10}};
constexpr std::array kDurations = {Unit{"h", 3'600'000}, Unit{"m", 60'000}, Unit{"s", 1'000},
                                   Unit{"ms", 1}};

struct Quantity {
  std::string_view digits, unit;
};

Quantity split(std::string_view text) {
  const auto end = std::ranges::find_if_not(text, is_digit) - text.begin();
  return {text.substr(0, static_cast<std::size_t>(end)),
          text.substr(static_cast<std::size_t>(end))};
}

const Unit* find_unit(std::span<const Unit> units, std::string_view name) {
  const auto found = std::ranges::find(units, name, &Unit::name);
  return found == units.end() ? nullptr : &*found;
}

std::optional<std::uint64_t> times(std::string_view digits, std::uint64_t factor,
                                   std::uint64_t most) {
  const auto count = whole_number(digits);
  if (!count || *count > most / factor) return {};
  return *count * factor;
}

std::string in_largest_unit(std::uint64_t count, std::span<const Unit> units) {
  for (const auto& [name, factor] : units)
    if (count != 0 && count % factor == 0) return fmt::format("{}{}", count / factor, name);
  return fmt::to_string(count);
}

// The binary unit that was meant by "KB", "k" or "mb", where one was.
std::string_view meant_size(std::string_view unit) {
  if (unit.empty() || unit.size() > 3) return {};
  const char first = static_cast<char>(unit.front() & ~0x20);
  for (const auto& [name, factor] : kSizes)
    if (name.front() == first) return name;
  return {};
}

}  // namespace

std::string shown(std::string_view text) {
  std::string out = "'";
  std::size_t taken = 0;
  while (taken < text.size() && taken < kQuotedMost)
    taken += std::max<std::size_t>(utf8_length(text.substr(taken)), 1);
  append_printable(out, text.substr(0, taken));
  return out + (taken < text.size() ? "...'" : "'");
}

std::string yaml_text(std::string_view text) {
  std::string doubled;
  for (const char c : text) {
    doubled += c;
    if (c == '$') doubled += '$';
  }
  std::string out;
  append_json_string(out, doubled);
  return out;
}

namespace detail {

Status parse(std::string_view text, bool& out) {
  if (text == "true" || text == "false") return out = text == "true", Status{};
  std::string lower(text.substr(0, 6));
  for (char& c : lower)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c | 0x20);
  for (const std::string_view yes : {"yes", "on", "y", "1", "true"})
    if (lower == yes) return invalid(fmt::format("{} is not a bool, write true", shown(text)));
  for (const std::string_view no : {"no", "off", "n", "0", "false"})
    if (lower == no) return invalid(fmt::format("{} is not a bool, write false", shown(text)));
  return invalid(fmt::format("{} is not a bool, write true or false", shown(text)));
}

Status parse(std::string_view text, std::uint32_t& out) {
  std::uint64_t wide = 0;
  TRY(parse_whole(text, std::numeric_limits<std::uint32_t>::max(), wide));
  out = static_cast<std::uint32_t>(wide);
  return {};
}

Status parse(std::string_view text, std::uint64_t& out) {
  return parse_whole(text, std::numeric_limits<std::uint64_t>::max(), out);
}

Status parse(std::string_view text, double& out) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || !std::isfinite(value))
    return invalid(fmt::format("{} is not a number, write one such as 0.5", shown(text)));
  out = value;
  return {};
}

Status parse(std::string_view text, ByteSize& out) {
  const auto [digits, unit_name] = split(text);
  const Unit* unit = find_unit(kSizes, unit_name);
  const bool plain = unit_name.empty() || unit_name == "B";
  if (whole_number(digits) && !unit && !plain)
    if (const auto meant = meant_size(unit_name); !meant.empty())
      return invalid(fmt::format("{} has no binary unit, write {}{}", shown(text), digits, meant));
  if ((!unit && !plain) || (!whole_number(digits) && !is_too_large(digits)))
    return invalid(
        fmt::format("{} is not a size, write one such as 4096, 256KiB or 1MiB", shown(text)));
  const auto bytes =
      times(digits, unit ? unit->factor : 1, std::numeric_limits<std::uint64_t>::max());
  if (!bytes)
    return invalid(fmt::format("{} is too large, give less than 16777216TiB", shown(text)));
  out.bytes = *bytes;
  return {};
}

Status parse(std::string_view text, std::chrono::milliseconds& out) {
  // So that any duration stays one in nanoseconds.
  constexpr std::uint64_t kMost = std::numeric_limits<std::int64_t>::max() / 1'000'000;
  const auto [digits, unit_name] = split(text);
  const Unit* unit = find_unit(kDurations, unit_name);
  if (unit_name.empty() && whole_number(digits))
    return invalid(fmt::format("{} has no unit, write {}s or {}ms", shown(text), digits, digits));
  if (!unit || (!whole_number(digits) && !is_too_large(digits)))
    return invalid(
        fmt::format("{} is not a duration, write one such as 250ms, 10s, 5m or 1h", shown(text)));
  const auto count = times(digits, unit->factor, kMost);
  if (!count)
    return invalid(fmt::format("{} is too long, give at most {}h", shown(text),
                               kMost / kDurations.front().factor));
  out = std::chrono::milliseconds(static_cast<std::int64_t>(*count));
  return {};
}

Status parse(std::string_view text, std::string& out) {
  if (text.contains('\0')) return invalid("holds a NUL character, leave it out");
  out = text;
  return {};
}

Status parse(std::string_view text, Secret& out) {
  std::string value;
  TRY(parse(text, value));
  out = Secret(std::move(value));
  return {};
}

std::unexpected<Error> not_one_of(std::string_view text, std::span<const std::string> names) {
  const auto near = nearest(text, names);
  return invalid(fmt::format("{} is not one of {}{}", shown(text), fmt::join(names, ", "),
                             near.empty() ? "" : fmt::format(", did you mean '{}'?", near)));
}

std::string yaml(bool value) {
  return value ? "true" : "false";
}
std::string yaml(std::uint32_t value) {
  return fmt::to_string(value);
}
std::string yaml(std::uint64_t value) {
  return fmt::to_string(value);
}
std::string yaml(double value) {
  return fmt::format("{}", value);
}
std::string yaml(ByteSize value) {
  return in_largest_unit(value.bytes, kSizes);
}
std::string yaml(std::chrono::milliseconds value) {
  const auto count = value.count();
  return count > 0 ? in_largest_unit(static_cast<std::uint64_t>(count), kDurations) : "0s";
}
std::string yaml(const std::string& value) {
  return yaml_text(value);
}
std::string yaml(const Secret& value) {
  return value.empty() ? R"("")" : R"("***")";
}

}  // namespace detail

}  // namespace tapio::config
