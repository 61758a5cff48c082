// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.hpp"

namespace tapio {

// A JSON value that somebody else wrote. Nothing about its shape is certain, so asking for what is
// not there, or is of another type, gives the empty value of the type that was asked for.
class Json {
 public:
  struct Member;
  using List = std::vector<Json>;
  using Object = std::vector<Member>;  // in the order of the document

  // The first member of that name, or null.
  [[nodiscard]] const Json& operator[](std::string_view key) const;
  [[nodiscard]] std::string_view text() const;
  [[nodiscard]] bool truth() const;
  [[nodiscard]] double number() const;
  [[nodiscard]] std::int64_t integer() const;
  [[nodiscard]] std::uint64_t count() const;  // a negative number is 0
  [[nodiscard]] std::span<const Json> items() const;
  [[nodiscard]] std::span<const Member> members() const;

  [[nodiscard]] bool is_null() const { return std::holds_alternative<std::monostate>(value); }
  [[nodiscard]] bool is_text() const { return std::holds_alternative<std::string>(value); }
  [[nodiscard]] bool is_number() const;
  [[nodiscard]] bool is_list() const { return std::holds_alternative<List>(value); }
  [[nodiscard]] bool is_object() const { return std::holds_alternative<Object>(value); }

  std::variant<std::monostate, bool, std::int64_t, std::uint64_t, double, std::string, List, Object>
      value;
};

struct Json::Member {
  std::string key;
  Json value;
};

// Bounds of one document; what exceeds one is refused.
inline constexpr std::size_t kMaxJsonDepth = 32;
inline constexpr std::size_t kMaxJsonValues = 1'000'000;

// RFC 8259, UTF-8, nothing behind the value but white space. The error is a sentence.
[[nodiscard]] Result<Json> parse_json(std::string_view text);

}  // namespace tapio
