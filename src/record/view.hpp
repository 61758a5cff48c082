// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "record/record.hpp"

// What who watches sees of records of one kind: a line for each value of a field, with figures of
// the records of the last seconds. Declared beside the schema as a constexpr `ViewOf`; `tapio top`
// shows it.
namespace tapio {

struct Figure {
  enum class Of : std::uint8_t {
    rate,      // records per second
    sum,       // of a number or a duration
    most,      // the largest
    quantile,  // `level` of the values are no larger
    common,    // of a text: what is there most often
  };
  // rate: which records count, by what `field` says. A record that does not say it does not count.
  enum class If : std::uint8_t { always, is, is_other_than };

  Of of;
  std::string_view head;
  std::string_view field = {};
  double level = 0;
  If when = If::always;
  std::string_view value = {};
};

struct View {
  // Of these keys, the first that a record has says on whose line it counts. "": no more of them.
  using Keys = std::array<std::string_view, 3>;

  std::string_view name;  // as on the command line
  std::string_view help;
  const Schema* schema;
  std::string_view head;  // of the keys
  Keys keys;
  bool in_overview;  // it tells who uses the machine
  std::span<const Figure> figures;
};

namespace figure {

using enum Figure::Of;
constexpr Figure rate_of(std::string_view head) {
  return {.of = rate, .head = head};
}
constexpr Figure rate_if(std::string_view head, std::string_view field, Figure::If when,
                         std::string_view value) {
  return {.of = rate, .head = head, .field = field, .when = when, .value = value};
}
constexpr Figure sum_of(std::string_view head, std::string_view field) {
  return {.of = sum, .head = head, .field = field};
}
constexpr Figure most_of(std::string_view head, std::string_view field) {
  return {.of = most, .head = head, .field = field};
}
constexpr Figure quantile_of(std::string_view head, std::string_view field, double level) {
  return {.of = quantile, .head = head, .field = field, .level = level};
}
constexpr Figure common_of(std::string_view head, std::string_view field) {
  return {.of = common, .head = head, .field = field};
}

}  // namespace figure

template <std::size_t N>
class ViewOf : public View {
 public:
  template <typename... Figures>
  constexpr explicit ViewOf(const View& view, Figures... list) : View(view), own_{list...} {
    figures = own_;
    for (const std::string_view key : keys)
      if (!key.empty() && !is_known(key)) std::abort();  // a constexpr view does not compile
    for (const Figure& figure : own_)
      if (!figure.field.empty() && !is_known(figure.field)) std::abort();
  }
  ViewOf(const ViewOf&) = delete;  // `figures` points into it
  ViewOf& operator=(const ViewOf&) = delete;

 private:
  [[nodiscard]] constexpr bool is_known(std::string_view key) const {
    return std::ranges::find(schema->fields, key, &Field::name) != schema->fields.end() ||
           std::ranges::find(kKeysOfWho, key) != kKeysOfWho.end();
  }

  std::array<Figure, N> own_;
};
template <typename... Figures>
ViewOf(const View&, Figures...) -> ViewOf<sizeof...(Figures)>;

}  // namespace tapio
