// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "record/record.hpp"

namespace tapio::serve {

// What may be asked behind the `?`. A route takes some of them.
enum class Parameter : std::uint8_t { limit, cursor, since, name, type };

struct ParameterInfo {
  Parameter parameter;
  std::string_view name;
  std::string_view type;  // of JSON schema
  std::string_view help;
};
inline constexpr std::array<ParameterInfo, 5> kParameters = {{
    {Parameter::limit, "limit", "integer", "How many at most, 1 to 1000; 100 by default."},
    {Parameter::cursor, "cursor", "string",
     "What `next` of the page before had: goes on with what is older."},
    {Parameter::since, "since", "string", "Not older than this: 250ms, 20s, 10m, 1h."},
    {Parameter::name, "name", "string",
     "Records of this name alone; several with commas between, or as several parameters."},
    {Parameter::type, "type", "string",
     "event, metric, finding, story or gap; several as with name."},
}};

class ParameterSet {
 public:
  constexpr ParameterSet(std::initializer_list<Parameter> all) {
    for (const Parameter one : all) bits_ |= bit(one);
  }
  [[nodiscard]] constexpr bool has(Parameter one) const { return (bits_ & bit(one)) != 0; }

 private:
  static constexpr unsigned bit(Parameter one) { return 1u << static_cast<unsigned>(one); }
  unsigned bits_ = 0;
};

struct Query {
  static constexpr std::size_t kMaxLimit = 1000;

  std::size_t limit = 100;
  std::optional<RecordId> cursor{};
  std::optional<std::chrono::milliseconds> since{};
  std::vector<std::string> names{};  // empty: all; as `types`; at most kMaxNames of each
  std::vector<Kind> types{};

  [[nodiscard]] bool wants(const Schema& schema) const;
};

// One parameter, decoded. The error is a sentence.
[[nodiscard]] Status read_parameter(Query& query, ParameterSet allowed, std::string_view key,
                                    std::string_view value);

}  // namespace tapio::serve
