// SPDX-License-Identifier: Apache-2.0
#include <cstdint>
#include <cstdlib>

#include "otlp_sender.hpp"

// Whatever a receiver answers: a number of rejected records is never negative, and what is said of
// it is one line of printable text.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const tapio::net::HttpAnswer answer{
      .status = 200u + data[0],
      .body = std::string(data + 1, data + size),
      .retry_after = {},
  };
  std::string why;
  const auto outcome = tapio::otlp::judge(answer, why);
  if (outcome.rejected > 0 && outcome.what != tapio::otlp::Outcome::What::taken) std::abort();
  if (outcome.rejected > std::uint64_t{INT64_MAX}) std::abort();
  for (const char c : why)
    if (static_cast<unsigned char>(c) < ' ' || c == 0x7f) std::abort();
  return 0;
}
