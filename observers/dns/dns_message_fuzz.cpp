// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstdlib>
#include <span>

#include "dns.abi.h"
#include "dns_message.hpp"

namespace {

void expect(bool holds) {
  if (!holds) std::abort();
}

void is_printable(std::string_view text) {
  expect(std::ranges::all_of(text, [](char c) { return c >= 0x20 && c <= 0x7e; }));
}

void is_name(std::string_view text) {
  is_printable(text);
  expect(text.size() <= TAPIO_DNS_NAME_TEXT);
}

}  // namespace

// The parser alone, whatever the bytes: what it says is within its bounds and can be shown to
// people.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tapio;
  using namespace tapio::dns;
  const auto kept = std::min<std::size_t>(size, TAPIO_DNS_MESSAGE_BYTES);
  const auto message = decode(std::as_bytes(std::span(data, kept)), size);
  expect(message.has_value() == (kept >= TAPIO_DNS_HEADER_BYTES));
  if (!message) return 0;
  is_name(message->name);
  expect(message->answers.size() <= Message::kMaxAnswers);
  for (const Answer& answer : message->answers) {
    is_name(answer.name);
    is_printable(answer.data);
  }
  return 0;
}
