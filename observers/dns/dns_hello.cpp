// SPDX-License-Identifier: Apache-2.0
#include "dns_hello.hpp"

#include <algorithm>

#include "decode/wire.hpp"
#include "dns_bytes.hpp"
#include "dns_rdata.hpp"

namespace tapio::dns {

namespace {

constexpr std::uint64_t kClientHello = 1, kHandshake = 22;  // RFC 8446, sections 4 and 5.1
constexpr std::uint64_t kServerName = 0, kHostName = 0;     // RFC 6066
constexpr std::uint64_t kAlpn = 16;                         // RFC 7301

// RFC 6066, section 3: a list of names, of which one is a host's. False: it is not of that shape.
bool read_server_name(Bytes extension, Hello& hello) {
  ByteReader data(extension);
  ByteReader names(data.take(data.number(2)));
  while (!names.left().empty()) {
    const auto type = names.number(1);
    const Bytes name = names.take(names.number(2));
    if (names.is_short() || name.size() > Hello::kMaxName) return false;
    if (type == kHostName && hello.server_name.empty())
      hello.server_name = printable(wire::chars(name));
  }
  return !data.is_short();
}

// RFC 7301, section 3.1.
bool read_protocols(Bytes extension, Hello& hello) {
  ByteReader data(extension);
  ByteReader protocols(data.take(data.number(2)));
  while (!protocols.left().empty()) {
    const Bytes protocol = protocols.take(protocols.number(1));
    if (protocols.is_short()) return false;
    if (hello.protocols.size() < Hello::kMaxProtocols)
      hello.protocols.push_back(printable(wire::chars(protocol)));
  }
  return !data.is_short();
}

// False: one of them is not of its shape, or not all there.
bool read_extensions(ByteReader extensions, Hello& hello) {
  bool is_well = true;
  while (!extensions.left().empty()) {
    const auto type = extensions.number(2);
    const Bytes data = extensions.take(extensions.number(2));
    if (extensions.is_short()) return false;
    if (type == kServerName) is_well = read_server_name(data, hello) && is_well;
    if (type == kAlpn) is_well = read_protocols(data, hello) && is_well;
  }
  return is_well;
}

}  // namespace

std::optional<std::size_t> handshake_size(Bytes handshake) {
  ByteReader head(handshake);
  head.take(1);
  const auto size = head.number(3);
  if (head.is_short()) return {};
  return kHandshakeHead + size;
}

std::optional<Hello> hello_of(Bytes handshake) {
  ByteReader message(handshake);
  if (message.number(1) != kClientHello) return {};
  ByteReader body(message.take(message.number(3)));
  body.take(2);  // the version, which says nothing any more
  Hello hello;
  const Bytes random = body.take(hello.random.size());
  if (body.is_short()) return {};
  std::ranges::copy(random, hello.random.begin());
  body.take(body.number(1));  // session
  body.take(body.number(2));  // ciphers
  body.take(body.number(1));  // compression
  bool is_well = true;
  if (!body.left().empty()) {
    ByteReader extensions(body.take(body.number(2)));
    is_well = read_extensions(extensions, hello);
  }
  if (message.is_short())
    hello.extent = Extent::cut;
  else if (!is_well || body.is_short())
    hello.extent = Extent::malformed;
  return hello;
}

std::vector<std::byte> handshake_of(Bytes records) {
  std::vector<std::byte> handshake;
  ByteReader reader(records);
  while (!reader.left().empty() && reader.number(1) == kHandshake) {
    reader.take(2);  // the version
    const Bytes fragment = reader.take(reader.number(2));
    handshake.insert(handshake.end(), fragment.begin(), fragment.end());
  }
  return handshake;
}

}  // namespace tapio::dns
