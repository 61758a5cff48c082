// SPDX-License-Identifier: Apache-2.0
#include <cstdint>
#include <cstdlib>
#include <string>

#include "serve/request.hpp"

// What is accepted must survive being written and read again.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string line(data, data + size);
  const auto request = tapio::serve::parse_request(line);
  if (!request) {
    if (request.error().what.empty()) std::abort();
    return 0;
  }
  const auto again = tapio::serve::parse_request(tapio::serve::to_json(*request));
  if (!again || again->command != request->command || again->since != request->since ||
      again->names != request->names)
    std::abort();
  return 0;
}
