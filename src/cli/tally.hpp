// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "record/view.hpp"
#include "serve/json.hpp"

namespace tapio::cli {

// A value and how often it was there.
struct Common {
  std::string text;
  std::uint64_t count = 0;
  bool operator==(const Common&) const = default;
};

// One figure of one line, as it stands: a number, or texts, or neither while nothing is known.
struct Cell {
  std::optional<double> number{};  // durations are seconds
  std::vector<Common> common{};
};

struct TallyRow {
  std::string key;
  std::vector<Cell> cells;  // one for each figure of the view
};

// Sums of values, without the values.
class Measured {
 public:
  static constexpr std::size_t kMaxCommon = 32;  // beyond: the rarest makes room

  void count() { ++count_; }
  void add(double value);
  void add(std::string_view text);
  void add(const Measured& other);

  [[nodiscard]] std::uint64_t counted() const { return count_; }
  [[nodiscard]] std::optional<double> sum() const;
  [[nodiscard]] std::optional<double> most() const;
  // Within 5 %.
  [[nodiscard]] std::optional<double> quantile(double level) const;
  [[nodiscard]] std::vector<Common> common() const;  // the most frequent first

 private:
  void add(std::string_view text, std::uint64_t times);

  std::uint64_t count_ = 0;
  double sum_ = 0, most_ = 0;
  std::map<int, std::uint64_t> buckets_;  // of equal width in the logarithm
  std::map<std::string, std::uint64_t, std::less<>> texts_;
};

// Counts records of a view over the last 10 to 20 seconds.
class Tally {
 public:
  static constexpr std::size_t kMaxLines = 500;   // in 10 s; beyond: all on one line
  static constexpr std::size_t kMaxColumns = 64;  // of a key or text; the rest is cut
  static constexpr std::chrono::seconds kHalf{10};
  static constexpr std::string_view kOthers = "(others)";
  static constexpr std::string_view kNobody = "-";  // a record without any of the keys

  Tally(const View& view, MonotonicTime now) : view_(&view), began_({now, now}) {}

  void add(const serve::Json& record, MonotonicTime now);
  [[nodiscard]] const View& view() const { return *view_; }
  // In the order of keys.
  [[nodiscard]] std::vector<TallyRow> rows(MonotonicTime now);
  [[nodiscard]] std::chrono::nanoseconds covers(MonotonicTime now);

 private:
  using Line = std::vector<Measured>;
  using Lines = std::map<std::string, Line, std::less<>>;

  void age(MonotonicTime now);
  Line& line_of(const serve::Json& record);
  [[nodiscard]] static Cell cell_of(const Figure& figure, const Measured& measured, double seconds);

  const View* view_;
  std::array<Lines, 2> halves_;  // the older one first
  std::array<MonotonicTime, 2> began_;
};

}  // namespace tapio::cli
