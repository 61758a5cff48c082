// SPDX-License-Identifier: Apache-2.0
#include "decode/proc_stat.hpp"

#include <algorithm>
#include <string>

#include "decode/words.hpp"

namespace tapio::proc {

Result<Stat> parse_stat(std::string_view text) {
  const auto open = text.find('(');
  const auto close = text.rfind(')');
  if (open == text.npos || close == text.npos || close < open) return invalid("stat: no name");
  Stat stat{.name = text.substr(open + 1, close - open - 1)};
  auto rest = text.substr(close + 1);

  // Numbers of the fields as in proc(5). The last two came with Linux 3.5.
  static constexpr int kState = 3, kParent = 4, kUserTime = 14, kKernelTime = 15, kThreads = 20,
                       kStart = 22, kResident = 24, kArgStart = 48, kArgEnd = 49;
  std::int64_t resident = 0;  // of a process that is being taken down, below zero for a moment
  std::uint64_t user = 0, kernel = 0, arg_start = 0, arg_end = 0;
  for (int field = kState; field <= kArgEnd; ++field) {
    const auto value = word(rest);
    if (value.empty() && field > kStart) break;
    bool good = true;
    if (field == kState)
      good = value.size() == 1, stat.state = good ? value[0] : '\0';
    else if (field == kParent)
      good = number(value, stat.parent_pid);
    else if (field == kUserTime)
      good = number(value, user);
    else if (field == kKernelTime)
      good = number(value, kernel);
    else if (field == kThreads)
      good = number(value, stat.threads);
    else if (field == kStart)
      good = number(value, stat.start_ticks);
    else if (field == kResident)
      good = number(value, resident);
    else if (field == kArgStart)
      good = number(value, arg_start);
    else if (field == kArgEnd)
      good = number(value, arg_end);
    if (!good) return invalid("stat: field " + std::to_string(field) + " is malformed");
  }
  stat.cpu_ticks = user + kernel;
  stat.resident_pages = static_cast<std::uint64_t>(std::max<std::int64_t>(resident, 0));
  if (arg_end > arg_start) stat.args_bytes = arg_end - arg_start;
  return stat;
}

}  // namespace tapio::proc
