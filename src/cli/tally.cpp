// SPDX-License-Identifier: Apache-2.0
#include "cli/tally.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/text.hpp"
#include "record/human.hpp"

namespace tapio::cli {

using serve::Json;

namespace {

// Eight buckets for each doubling, from a nanosecond to what 64 bits hold.
constexpr double kBucketsPerDoubling = 8;
constexpr int kLowest = -30 * 8, kHighest = 64 * 8;

int bucket_of(double value) {
  if (!(value > 0)) return kLowest;
  const double at = std::floor(std::log2(value) * kBucketsPerDoubling);
  return static_cast<int>(std::clamp(at, double{kLowest}, double{kHighest}));
}

double middle_of(int bucket) {
  return bucket == kLowest ? 0 : std::exp2((bucket + 0.5) / kBucketsPerDoubling);
}

// Texts as they are, numbers and truths as words; "": there is nothing of the kind.
std::string word_of(const Json& value) {
  if (value.is_text()) return cut(printable(value.text()), Tally::kMaxColumns);
  if (const auto* truth = std::get_if<bool>(&value.value)) return *truth ? "true" : "false";
  return value.is_number() ? fmt::format("{}", value.number()) : "";
}

bool holds(const Figure& figure, const Json& record) {
  if (figure.when == Figure::If::always) return true;
  const auto word = word_of(record[figure.field]);
  return !word.empty() && (word == figure.value) == (figure.when == Figure::If::is);
}

std::string key_of(const View& view, const Json& record) {
  for (const std::string_view key : view.keys)
    if (auto word = key.empty() ? "" : word_of(record[key]); !word.empty()) return word;
  return std::string(Tally::kNobody);
}

}  // namespace

void Measured::add(double value) {
  most_ = count_ == 0 ? value : std::max(most_, value);
  ++count_;
  sum_ += value;
  ++buckets_[bucket_of(value)];
}

void Measured::add(std::string_view text) {
  ++count_;
  add(text, 1);
}

// Who takes the place of the rarest takes its count too, so that nothing is called rarer than it
// is.
void Measured::add(std::string_view text, std::uint64_t times) {
  if (const auto known = texts_.find(text); known != texts_.end()) {
    known->second += times;
    return;
  }
  if (texts_.size() >= kMaxCommon) {
    const auto rarest =
        std::ranges::min_element(texts_, {}, [](const auto& one) { return one.second; });
    times += rarest->second;
    texts_.erase(rarest);
  }
  texts_.emplace(text, times);
}

void Measured::add(const Measured& other) {
  if (other.count_ == 0) return;
  most_ = count_ == 0 ? other.most_ : std::max(most_, other.most_);
  count_ += other.count_;
  sum_ += other.sum_;
  for (const auto& [bucket, times] : other.buckets_) buckets_[bucket] += times;
  for (const auto& [text, times] : other.texts_) add(text, times);
}

std::optional<double> Measured::sum() const {
  return count_ > 0 ? std::optional(sum_) : std::nullopt;
}

std::optional<double> Measured::most() const {
  return count_ > 0 ? std::optional(most_) : std::nullopt;
}

std::optional<double> Measured::quantile(double level) const {
  if (count_ == 0) return std::nullopt;
  const auto rank = static_cast<std::uint64_t>(std::ceil(level * static_cast<double>(count_)));
  std::uint64_t seen = 0;
  for (const auto& [bucket, times] : buckets_) {
    seen += times;
    if (seen >= rank) return std::min(middle_of(bucket), most_);
  }
  return most_;
}

std::vector<Common> Measured::common() const {
  std::vector<Common> all;
  for (const auto& [text, times] : texts_) all.push_back({text, times});
  std::ranges::stable_sort(all, std::greater<>(), &Common::count);
  return all;
}

void Tally::age(MonotonicTime now) {
  if (now - began_[1] < kHalf) return;
  const bool both = now - began_[1] >= 2 * kHalf;  // nobody looked for so long
  halves_[0] = both ? Lines{} : std::exchange(halves_[1], {});
  halves_[1].clear();
  began_ = {both ? now - kHalf : began_[1], now};
}

Tally::Line& Tally::line_of(const Json& record) {
  auto& lines = halves_[1];
  auto key = key_of(*view_, record);
  if (lines.size() >= kMaxLines && !lines.contains(key)) key = kOthers;
  auto& line = lines[std::move(key)];
  line.resize(view_->figures.size());
  return line;
}

void Tally::add(const Json& record, MonotonicTime now) {
  age(now);
  Line& line = line_of(record);
  for (std::size_t i = 0; i < line.size(); ++i) {
    const Figure& figure = view_->figures[i];
    const Json& value = record[figure.field];
    if (figure.of == Figure::Of::rate) {
      if (holds(figure, record)) line[i].count();
    } else if (figure.of == Figure::Of::common) {
      if (const auto word = word_of(value); !word.empty()) line[i].add(word);
    } else if (value.is_number()) {
      line[i].add(value.number());
    }
  }
}

std::chrono::nanoseconds Tally::covers(MonotonicTime now) {
  age(now);
  return now - began_[0];
}

std::vector<TallyRow> Tally::rows(MonotonicTime now) {
  const double seconds = std::chrono::duration<double>(covers(now)).count();
  Lines both = halves_[0];
  for (const auto& [key, line] : halves_[1]) {
    auto& sum = both[key];
    sum.resize(line.size());
    for (std::size_t i = 0; i < line.size(); ++i) sum[i].add(line[i]);
  }
  std::vector<TallyRow> rows;
  for (const auto& [key, line] : both) {
    auto& row = rows.emplace_back(TallyRow{key, {}});
    for (std::size_t i = 0; i < line.size(); ++i)
      row.cells.push_back(cell_of(view_->figures[i], line[i], seconds));
  }
  return rows;
}

Cell Tally::cell_of(const Figure& figure, const Measured& measured, double seconds) {
  switch (figure.of) {
    case Figure::Of::rate:
      return {.number = seconds > 0 ? static_cast<double>(measured.counted()) / seconds : 0};
    case Figure::Of::sum:
      return {.number = measured.sum()};
    case Figure::Of::most:
      return {.number = measured.most()};
    case Figure::Of::quantile:
      return {.number = measured.quantile(figure.level)};
    case Figure::Of::common:
      return {.common = measured.common()};
  }
  return {};
}

}  // namespace tapio::cli
