// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

// Records of /dev/kmsg (Documentation/ABI/testing/dev-kmsg): "prio,seq,usec,flags[,...];text\n",
// then lines " KEY=value". In the text the kernel writes control characters, bytes that are not
// ASCII, and backslashes as \xNN, so nobody's name can end a record.
namespace tapio::kmsg {

struct Line {
  std::uint32_t facility = 0;  // syslog's: 0 is the kernel, which user space cannot claim to be
  std::uint64_t sequence = 0;
  std::uint64_t microseconds = 0;  // printk's clock
  std::string text;                // as it was before it was escaped
};

// Nothing: it has no such head.
[[nodiscard]] std::optional<Line> parse_line(std::string_view record);

// The whole text is a decimal number, and it fits.
[[nodiscard]] std::optional<std::uint64_t> unsigned_number(std::string_view text);
[[nodiscard]] std::optional<std::int64_t> signed_number(std::string_view text);

}  // namespace tapio::kmsg
