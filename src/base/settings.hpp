// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fmt/format.h>

#include <chrono>
#include <concepts>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "base/result.hpp"

// Typed settings. A configuration is a plain struct that names its members once:
//
//   struct Config {
//     std::uint32_t rate_per_second = 200;
//     ByteSize ring = ByteSize{256 << 10};
//     static constexpr auto settings() {
//       return std::tuple{Setting{"rate_per_second", &Config::rate_per_second, "Help.", 0u,
//       9'999u},
//                         ...};
//     }
//     // .on_reload() behind a setting: it can be changed while the agent runs.
//     Status check() const;  // optional: what no single range can say
//   };
//
// From that list come parsing with unknown keys refused, range checks, `tapio config explain`, the
// default file and the settings page in docs/.
namespace tapio {

// "256KiB", "1MiB", "4096": binary units only.
struct ByteSize {
  std::uint64_t bytes = 0;
  auto operator<=>(const ByteSize&) const = default;
};

// Prints as ***; the value is reached on purpose only.
class Secret {
 public:
  Secret() = default;
  explicit Secret(std::string value) : value_(std::move(value)) {}
  [[nodiscard]] const std::string& reveal() const { return value_; }
  [[nodiscard]] bool empty() const { return value_.empty(); }
  bool operator==(const Secret&) const = default;

 private:
  std::string value_;
};

template <typename E>
struct EnumName {
  std::string_view name;
  E value;
};

namespace config {

template <typename T>
concept Ranged =
    std::same_as<T, std::uint32_t> || std::same_as<T, std::uint64_t> || std::same_as<T, double> ||
    std::same_as<T, ByteSize> || std::same_as<T, std::chrono::milliseconds>;

template <typename T>
concept Named = std::is_enum_v<T> && requires(T value) {
  { enum_names(value) } -> std::convertible_to<std::span<const EnumName<T>>>;
};

template <typename T>
concept Scalar = Ranged<T> || Named<T> || std::same_as<T, bool> || std::same_as<T, std::string> ||
                 std::same_as<T, Secret>;

struct NoBound {};

// What a range is given in; text, lists, bools and enums have none.
template <typename T>
struct BoundOf : std::conditional<Ranged<T>, T, NoBound> {};

}  // namespace config

// Member types: bool, std::uint32_t, std::uint64_t, double (finite), ByteSize,
// std::chrono::milliseconds ("250ms", "10s", "5m", "1h"), std::string, Secret, any enum that has
//   std::span<const EnumName<E>> enum_names(E);
// and std::vector of any of these but Secret.
template <typename Owner, typename T>
struct Setting {
  std::string_view name;  // dots nest: "filter.uid"
  T Owner::* member;
  std::string_view help;
  // Both belong to the range. Left out: that of the type.
  std::optional<typename config::BoundOf<T>::type> min{}, max{};
  bool reloads = false;

  // A reload changes it. Without this it holds until the next start.
  [[nodiscard]] constexpr Setting on_reload() const {
    Setting setting = *this;
    setting.reloads = true;
    return setting;
  }
};

namespace config {

// One setting of some section, without its type: for files, help and docs.
struct SettingInfo {
  std::string name;  // "filter.uid"
  std::string help;
  std::string type;      // "unsigned", "number", "size", "duration", "bool", "text", "secret",
                         // "one of a, b", or "list of " one of these
  std::string range;     // "1..1000000", "1..", "..8", or ""
  std::string value;     // now, as YAML; *** for a secret that is not empty
  bool is_list = false;  // takes a sequence
  bool reloads = false;  // can be changed while the agent runs
};

// A setting that two configurations have other values of.
struct Change {
  std::string setting;        // "filter.uid"; of a tree "observers.process.filter.uid"
  std::string before, after;  // as YAML; *** for a secret that is not empty
  bool reloads = false;       // it is taken over; else it waits for the next start
};

// One mapping of the configuration file.
class Section {
 public:
  virtual ~Section() = default;
  [[nodiscard]] virtual std::vector<SettingInfo> settings() const = 0;
  // From the text of a scalar, or of each item of a list. The error is a sentence that says what
  // would be right, without the name of the setting and without the value of a secret. On an error
  // the setting keeps its value.
  virtual Status set(std::string_view setting, std::span<const std::string> values) = 0;
  // What no single setting can tell: settings that contradict each other.
  [[nodiscard]] virtual Status check() const = 0;
  [[nodiscard]] virtual std::unique_ptr<Section> clone() const = 0;
  // Compares with a section of the same type, and takes over what a reload may change.
  virtual std::vector<Change> take_over(const Section& next) = 0;

  // The struct inside. Asking for another type than it was made of is a bug (std::bad_cast).
  template <typename Config>
  [[nodiscard]] const Config& as() const;
  template <typename Config>
  [[nodiscard]] Config& as();
};

// A section that holds a `Config` with its defaults.
template <typename Config>
[[nodiscard]] std::unique_ptr<Section> section();

// `text` in double quotes, so that reading it back from a configuration file gives `text`.
[[nodiscard]] std::string yaml_text(std::string_view text);

// `text` for an error sentence: in single quotes, printable, cut when long.
[[nodiscard]] std::string shown(std::string_view text);

namespace detail {

Status parse(std::string_view text, bool& out);
Status parse(std::string_view text, std::uint32_t& out);
Status parse(std::string_view text, std::uint64_t& out);
Status parse(std::string_view text, double& out);
Status parse(std::string_view text, ByteSize& out);
Status parse(std::string_view text, std::chrono::milliseconds& out);
Status parse(std::string_view text, std::string& out);
Status parse(std::string_view text, Secret& out);
std::unexpected<Error> not_one_of(std::string_view text, std::span<const std::string> names);

std::string yaml(bool value);
std::string yaml(std::uint32_t value);
std::string yaml(std::uint64_t value);
std::string yaml(double value);
std::string yaml(ByteSize value);
std::string yaml(std::chrono::milliseconds value);
std::string yaml(const std::string& value);
std::string yaml(const Secret& value);

template <typename T>
struct Item : std::type_identity<void> {};
template <Scalar T>
struct Item<std::vector<T>> : std::type_identity<T> {};
template <typename T>
constexpr bool is_list = !std::is_void_v<typename Item<T>::type>;

template <Named T>
std::vector<std::string> names_of() {
  std::vector<std::string> names;
  for (const EnumName<T>& each : std::span<const EnumName<T>>(enum_names(T{})))
    names.emplace_back(each.name);
  return names;
}

template <Named T>
Status parse(std::string_view text, T& out) {
  for (const EnumName<T>& each : std::span<const EnumName<T>>(enum_names(T{}))) {
    if (each.name != text) continue;
    out = each.value;
    return {};
  }
  return not_one_of(text, names_of<T>());
}

template <Named T>
std::string yaml(T value) {
  for (const EnumName<T>& each : std::span<const EnumName<T>>(enum_names(T{})))
    if (each.value == value) return std::string(each.name);
  return {};
}

template <Scalar T>
std::string type_name() {
  if constexpr (std::same_as<T, bool>) return "bool";
  if constexpr (std::unsigned_integral<T>) return "unsigned";
  if constexpr (std::same_as<T, double>) return "number";
  if constexpr (std::same_as<T, ByteSize>) return "size";
  if constexpr (std::same_as<T, std::chrono::milliseconds>) return "duration";
  if constexpr (std::same_as<T, std::string>) return "text";
  if constexpr (std::same_as<T, Secret>) return "secret";
  if constexpr (Named<T>) return fmt::format("one of {}", fmt::join(names_of<T>(), ", "));
}

template <typename Config, typename T>
std::string range_of(const Setting<Config, T>& setting) {
  std::string range;
  if constexpr (Ranged<T>) {
    if (setting.min) range += yaml(*setting.min);
    if (setting.min || setting.max) range += "..";
    if (setting.max) range += yaml(*setting.max);
  }
  return range;
}

template <typename Config, typename T>
Status check_range(const Setting<Config, T>& setting, const T& value) {
  if constexpr (Ranged<T>) {
    if (setting.min && value < *setting.min)
      return invalid(fmt::format("{} is too small, give {}", yaml(value), range_of(setting)));
    if (setting.max && value > *setting.max)
      return invalid(fmt::format("{} is too large, give {}", yaml(value), range_of(setting)));
  }
  return {};
}

template <typename Config, typename T>
Status assign(Config& config, const Setting<Config, T>& setting,
              std::span<const std::string> values) {
  T read{};
  if constexpr (is_list<T>) {
    for (const std::string& text : values) {
      typename Item<T>::type item{};
      TRY(parse(text, item));
      read.push_back(std::move(item));
    }
  } else {
    if (values.size() != 1) return invalid("wants one value, not a list");
    TRY(parse(values.front(), read));
    TRY(check_range(setting, read));
  }
  config.*setting.member = std::move(read);
  return {};
}

template <typename T>
std::string yaml_of(const T& value) {
  if constexpr (is_list<T>) {
    std::vector<std::string> items;
    for (const auto& item : value) items.push_back(yaml(static_cast<typename Item<T>::type>(item)));
    return fmt::format("[{}]", fmt::join(items, ", "));
  } else {
    return yaml(value);
  }
}

template <typename Config, typename T>
SettingInfo describe(const Config& config, const Setting<Config, T>& setting) {
  SettingInfo info{.name = std::string(setting.name),
                   .help = std::string(setting.help),
                   .type = {},
                   .range = range_of(setting),
                   .value = yaml_of(config.*setting.member),
                   .is_list = is_list<T>,
                   .reloads = setting.reloads};
  if constexpr (is_list<T>) {
    static_assert(!std::same_as<typename Item<T>::type, Secret>);
    info.type = "list of " + type_name<typename Item<T>::type>();
  } else {
    info.type = type_name<T>();
  }
  return info;
}

template <typename Config>
class Holder final : public Section {
 public:
  [[nodiscard]] std::vector<SettingInfo> settings() const override {
    std::vector<SettingInfo> all;
    const auto add = [&](const auto&... each) { (all.push_back(describe(value, each)), ...); };
    std::apply(add, Config::settings());
    return all;
  }

  Status set(std::string_view name, std::span<const std::string> values) override {
    Status result = invalid(fmt::format("unknown setting {}", shown(name)));
    const auto try_one = [&](const auto& each) {
      if (each.name != name) return false;
      result = assign(value, each, values);
      return true;
    };
    std::apply([&](const auto&... each) { (void)(try_one(each) || ...); }, Config::settings());
    return result;
  }

  [[nodiscard]] Status check() const override {
    if constexpr (requires { value.check(); })
      return value.check();
    else
      return {};
  }

  [[nodiscard]] std::unique_ptr<Section> clone() const override {
    return std::make_unique<Holder>(*this);
  }

  std::vector<Change> take_over(const Section& next) override {
    const Config& other = next.as<Config>();
    std::vector<Change> changes;
    const auto compare = [&](const auto& each) {
      if (value.*each.member == other.*each.member) return;
      changes.push_back({.setting = std::string(each.name),
                         .before = yaml_of(value.*each.member),
                         .after = yaml_of(other.*each.member),
                         .reloads = each.reloads});
      if (each.reloads) value.*each.member = other.*each.member;
    };
    std::apply([&](const auto&... each) { (compare(each), ...); }, Config::settings());
    return changes;
  }

  Config value;
};

}  // namespace detail

template <typename Config>
const Config& Section::as() const {
  return dynamic_cast<const detail::Holder<Config>&>(*this).value;
}

template <typename Config>
Config& Section::as() {
  return dynamic_cast<detail::Holder<Config>&>(*this).value;
}

template <typename Config>
std::unique_ptr<Section> section() {
  return std::make_unique<detail::Holder<Config>>();
}

}  // namespace config
}  // namespace tapio
