// SPDX-License-Identifier: Apache-2.0
#include "cli/figure_text.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "record/human.hpp"

namespace tapio::cli {

namespace {

constexpr std::string_view kUnknown = "-";
constexpr std::size_t kCommonShown = 3;

std::string duration_text(double seconds) {
  constexpr double kMost = 9.2e9;  // that nanoseconds can count
  std::string out;
  append_human(out, std::chrono::nanoseconds(
                        static_cast<std::int64_t>(std::clamp(seconds, 0.0, kMost) * 1e9)));
  return out;
}

std::string bytes_text(double bytes) {
  constexpr double kMost = 1e18;
  std::string out;
  append_human_bytes(out, static_cast<std::uint64_t>(std::clamp(bytes, 0.0, kMost)));
  return out;
}

std::string common_text(const std::vector<Common>& common) {
  if (common.empty()) return std::string(kUnknown);
  std::uint64_t all = 0;
  for (const Common& one : common) all += one.count;
  std::string out;
  for (std::size_t i = 0; i < std::min(common.size(), kCommonShown); ++i)
    out += fmt::format("{}{} {}%", i > 0 ? ", " : "", common[i].text, common[i].count * 100 / all);
  return out;
}

}  // namespace

std::string rate_text(double per_second) {
  if (per_second >= 100) return fmt::format("{:.0f}", per_second);
  if (per_second >= 1 || per_second == 0) return fmt::format("{:.1f}", per_second);
  return fmt::format("{:.2f}", per_second);
}

std::string cell_text(const View& view, const Figure& figure, const Cell& cell) {
  if (figure.of == Figure::Of::common) return common_text(cell.common);
  if (!cell.number) return std::string(kUnknown);
  if (figure.of == Figure::Of::rate) return rate_text(*cell.number);
  const auto field = std::ranges::find(view.schema->fields, figure.field, &Field::name);
  if (field == view.schema->fields.end()) return fmt::format("{:.0f}", *cell.number);
  if (field->type == Type::duration) return duration_text(*cell.number);
  if (field->type == Type::f64) return fmt::format("{:.2f}", *cell.number);
  return field->unit == "By" ? bytes_text(*cell.number) : fmt::format("{:.0f}", *cell.number);
}

}  // namespace tapio::cli
