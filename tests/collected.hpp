// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <functional>
#include <optional>
#include <vector>

#include "empty_world.hpp"
#include "observer.hpp"

namespace tapio {

// What an observer under test gave out. Texts live as long as this does.
class Collected final : public Output {
 public:
  // Of a world that hears each fact at once, as the agent's does.
  using Hears = std::function<void(const Fact&)>;
  Collected() = default;
  explicit Collected(const World& world, Hears hears = {})
      : known_(&world), hears_(std::move(hears)) {}

  Arena& arena() override { return arena_; }
  void publish(const Fact& fact) override {
    facts.push_back(fact);
    if (hears_) hears_(fact);
  }
  RecordId emit(const Record& record) override {
    records.push_back(record);
    return records.back().id = {0, next_++};
  }
  RecordId withhold(const Record&, Withheld why) override { return withheld(why); }
  RecordId withhold(const wire::Sample& sample, const Origin& origin, Withheld why) override {
    unmade.push_back({origin, {sample.bytes.begin(), sample.bytes.end()}});
    return withheld(why);
  }
  [[nodiscard]] RecordId next_id() const override { return {0, next_}; }
  [[nodiscard]] const World& world() const override { return known_ ? *known_ : nobody_; }
  [[nodiscard]] const Clocks& clocks() const override { return clocks_; }

  // The newest fact, which must be of this kind.
  template <typename Kind>
  [[nodiscard]] const Kind& only() const {
    return std::get<Kind>(facts.back());
  }
  // A field of the newest record; by a name that its schema must have.
  [[nodiscard]] Value value(std::string_view field) const {
    const Record& record = records.back();
    const auto at = std::ranges::find(record.schema->fields, field, &Field::name);
    if (at == record.schema->fields.end()) return std::string_view("no such field");
    return record.values.at(static_cast<std::size_t>(at - record.schema->fields.begin()));
  }
  // Nothing when it is not known, or of another type.
  template <typename T>
  [[nodiscard]] std::optional<T> get(std::string_view field) const {
    const Value v = value(field);
    const auto* held = std::get_if<T>(&v);
    return held ? std::optional<T>(*held) : std::nullopt;
  }
  [[nodiscard]] std::string_view text(std::string_view field) const {
    return get<std::string_view>(field).value_or("not a text");
  }
  [[nodiscard]] bool known(std::string_view field) const {
    return !std::holds_alternative<std::monostate>(value(field));
  }

  std::vector<Fact> facts;
  std::vector<Record> records;
  std::uint64_t rate_limited = 0, filtered = 0;
  struct Unmade {
    Origin origin;
    std::vector<std::byte> sample;
  };
  std::vector<Unmade> unmade;  // among those that were withheld

 private:
  RecordId withheld(Withheld why) {
    (why == Withheld::filtered ? filtered : rate_limited)++;
    return {0, next_++};
  }

  Arena arena_;
  EmptyWorld nobody_;
  Clocks clocks_;
  const World* known_ = nullptr;
  Hears hears_;
  std::uint64_t next_ = 1;
};

}  // namespace tapio
