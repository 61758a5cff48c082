// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstdlib>
#include <span>
#include <string>

#include "dns.abi.h"
#include "dns_encrypted.hpp"
#include "dns_hellos.hpp"

namespace {

using namespace tapio;
using namespace tapio::dns;

void expect(bool holds) {
  if (!holds) std::abort();
}

void is_printable(std::string_view text, std::size_t most) {
  expect(std::ranges::all_of(text, [](char c) { return c > 0x20 && c <= 0x7e; }));
  expect(text.size() <= most);
}

void look_at(const std::optional<Hello>& hello) {
  if (!hello) return;
  constexpr std::size_t kEscaped = 4;  // characters of a byte
  is_printable(hello->server_name, kEscaped * Hello::kMaxName);
  expect(hello->protocols.size() <= Hello::kMaxProtocols);
  for (const auto& protocol : hello->protocols) is_printable(protocol, kEscaped * 255);
}

void look_at(const std::optional<Initial>& initial) {
  if (!initial) return;
  expect(initial->pieces.size() <= Initial::kMaxPieces);
  HelloPieces pieces;
  for (const auto& piece : initial->pieces) pieces.add(piece);
  const Bytes handshake = pieces.beginning();
  expect(handshake.size() <= HelloPieces::kMaxBytes);
  look_at(hello_of(handshake));
}

}  // namespace

// The input as a ClientHello, as records that carry one, as a datagram of QUIC, and as the frames
// in a packet of QUIC that is sealed well, for nothing else would get behind its tag.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto kept = std::min<std::size_t>(size, TAPIO_DNS_MESSAGE_BYTES);
  const Bytes bytes = std::as_bytes(std::span(data, kept));
  look_at(hello_of(bytes));
  look_at(hello_of(handshake_of(bytes)));
  look_at(open_initial(bytes));
  const InitialShape shape{.version = size % 2 == 0 ? kQuicV1 : kQuicV2};
  const std::string packet = sealed_initial(shape, std::string(data, data + kept));
  const auto opened = open_initial(std::as_bytes(std::span(packet)));
  expect(opened.has_value());
  look_at(opened);
  return 0;
}
