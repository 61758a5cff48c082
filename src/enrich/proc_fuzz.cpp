// SPDX-License-Identifier: Apache-2.0
#include <cstdint>
#include <cstdlib>

#include "enrich/proc.hpp"

// Whatever /proc may say; views must lie in the input, and bounds hold.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tapio::proc;
  const std::string text(data, data + size);
  if (const auto stat = parse_stat(text); stat && stat->name.size() + 2 > text.size()) std::abort();
  (void)parse_status(text);
  (void)parse_namespace(text);
  const auto args = split_cmdline(text);
  std::size_t total = 0;
  for (const auto arg : args) total += arg.size() + 1;
  if (args.size() > kMaxArgs || total > size + 1) std::abort();
  return 0;
}
