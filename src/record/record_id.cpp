// SPDX-License-Identifier: Apache-2.0
#include "record/record_id.hpp"

#include <charconv>

namespace tapio {

std::optional<RecordId> parse_record_id(std::string_view text) {
  constexpr std::size_t kRunDigits = 8;
  RecordId id;
  const char* end = text.data() + text.size();
  const auto run = std::from_chars(text.data(), end, id.run, 16);
  if (run.ec != std::errc() || run.ptr != text.data() + kRunDigits) return std::nullopt;
  if (run.ptr == end || *run.ptr != '.') return std::nullopt;
  const auto number = std::from_chars(run.ptr + 1, end, id.number);
  if (number.ec != std::errc() || number.ptr != end) return std::nullopt;
  return id;
}

}  // namespace tapio
