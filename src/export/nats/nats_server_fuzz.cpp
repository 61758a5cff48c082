// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "nats_answers.hpp"
#include "nats_protocol.hpp"

// A server may send anything. The first byte says in what pieces it comes: what the reader makes of
// the rest must not depend on it.
namespace {

using namespace tapio::nats;

constexpr std::size_t kMaxPayload = 1000;

// All that was said, as one number, and where it stopped.
std::uint64_t digest(std::string_view bytes, std::size_t piece) {
  Reader reader(kMaxPayload);
  std::uint64_t sum = 0;
  const auto add = [&](std::string_view text) {
    for (const char c : text) sum = sum * 1099511628211u + static_cast<unsigned char>(c) + 1;
  };
  while (!bytes.empty()) {
    const auto room = reader.room();
    const auto some = bytes.substr(0, std::min(piece, room.size()));
    std::ranges::copy(some, room.begin());
    reader.filled(some.size());
    bytes.remove_prefix(some.size());
    for (;;) {
      const auto said = reader.next();
      if (!said) return sum + 1;
      if (!*said) break;
      if ((*said)->text.size() > Reader::kMaxLine) std::abort();
      add((*said)->subject);
      add((*said)->headers);
      add((*said)->text);
      sum += (*said)->status + static_cast<unsigned>((*said)->kind);
      if ((*said)->kind == Said::Kind::info) (void)parse_info((*said)->text);
      if ((*said)->kind == Said::Kind::message) (void)parse_answer((*said)->text);
    }
    if (reader.unread() > Reader::kMaxLine + kMaxPayload + 2) std::abort();
  }
  return sum;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view bytes(static_cast<const char*>(static_cast<const void*>(data + 1)),
                               size - 1);
  if (digest(bytes, 1 + *data) != digest(bytes, bytes.size())) std::abort();
  (void)parse_answer(bytes);
  (void)parse_info(bytes);
  return 0;
}
