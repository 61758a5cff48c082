// SPDX-License-Identifier: Apache-2.0
#include "dns_encrypted.hpp"

#include <algorithm>
#include <utility>

#include "dns_records.hpp"
#include "dns_schemas.hpp"

namespace tapio::dns {

namespace {

constexpr std::uint16_t kPort = 853;  // RFC 7858, RFC 9250

struct Verdict {
  Encryption encryption;
  KnownBy known_by;
};

bool offers(const std::optional<Hello>& hello, std::string_view protocol) {
  return hello && std::ranges::find(hello->protocols, protocol) != hello->protocols.end();
}

std::optional<Verdict> judge(const Greeting& greeting, const std::optional<Hello>& hello,
                             const Resolvers& resolvers) {
  const bool is_tcp = greeting.transport == Transport::tcp;
  const auto own = is_tcp ? Encryption::dot : Encryption::doq;
  if (offers(hello, is_tcp ? "dot" : "doq")) return Verdict{own, KnownBy::alpn};
  if (greeting.server.port == kPort) return Verdict{own, KnownBy::port};
  if (hello && resolvers.knows_name(hello->server_name))
    return Verdict{Encryption::doh, KnownBy::server_name};
  if (resolvers.knows_address(greeting.server, greeting.ip_version))
    return Verdict{Encryption::doh, KnownBy::address};
  return {};
}

void append(std::string& key, const Endpoint& end) {
  key.append(end.address.begin(), end.address.end());
  key += static_cast<char>(end.port >> 8);
  key += static_cast<char>(end.port);
}

std::string key_of(const Greeting& greeting, Bytes rest) {
  std::string key(1, greeting.transport == Transport::tcp ? 't' : 'u');
  append(key, greeting.client);
  append(key, greeting.server);
  return key.append(wire::chars(rest));
}

bool is_known(const Greeting& greeting) {
  static const Resolvers kPublic;
  std::optional<Hello> hello;
  if (greeting.transport == Transport::tcp) {
    hello = hello_of(handshake_of(greeting.bytes));
  } else if (const auto initial = open_initial(greeting.bytes)) {
    HelloPieces pieces;
    for (const auto& piece : initial->pieces) pieces.add(piece);
    hello = hello_of(pieces.beginning());
  }
  return judge(greeting, hello, kPublic).has_value();
}

}  // namespace

std::string_view name(Encryption encryption) {
  switch (encryption) {
    case Encryption::dot:
      return "dot";
    case Encryption::doh:
      return "doh";
    case Encryption::doq:
      return "doq";
  }
  return "dot";
}

std::string_view name(KnownBy known_by) {
  switch (known_by) {
    case KnownBy::alpn:
      return "alpn";
    case KnownBy::port:
      return "port";
    case KnownBy::server_name:
      return "server_name";
    case KnownBy::address:
      return "address";
  }
  return "port";
}

void HelloPieces::add(const Initial::Piece& piece) {
  if (piece.offset >= kMaxBytes) return;
  const auto offset = static_cast<std::ptrdiff_t>(piece.offset);
  const auto size = std::min<std::size_t>(piece.bytes.size(), kMaxBytes - piece.offset);
  if (piece.offset + size > bytes_.size()) {
    bytes_.resize(piece.offset + size);
    is_here_.resize(bytes_.size());
  }
  std::copy_n(piece.bytes.begin(), size, bytes_.begin() + offset);
  std::fill_n(is_here_.begin() + offset, size, true);
}

Bytes HelloPieces::beginning() const {
  const auto gap = std::ranges::find(is_here_, false);
  return Bytes(bytes_).first(static_cast<std::size_t>(gap - is_here_.begin()));
}

bool HelloPieces::is_whole() const {
  const Bytes bytes = beginning();
  const auto size = handshake_size(bytes);
  return size && bytes.size() >= std::min(*size, kMaxBytes);
}

std::optional<EncryptedSession> Encrypted::take(Greeting greeting) {
  counts_.looked_at++;
  if (greeting.bytes.empty()) return tell(std::move(greeting), {});
  if (greeting.transport == Transport::udp) return take_quic(std::move(greeting));
  auto hello = hello_of(handshake_of(greeting.bytes));
  if (hello) return tell(std::move(greeting), std::move(hello));
  counts_.unreadable++;
  return {};
}

// What cannot be opened is a later packet, for the most part: its keys are those of the first.
std::optional<EncryptedSession> Encrypted::take_quic(Greeting greeting) {
  if (!opened_.admit(greeting.origin.time)) {
    counts_.unopened++;
    return {};
  }
  const auto initial = open_initial(greeting.bytes);
  if (!initial) return {};
  greeting.bytes.clear();
  const auto key = key_of(greeting, initial->connection);
  const bool is_new = !under_way_.find(key);
  if (is_new && under_way_.size() == kMaxUnderWay && !under_way_.entries().front().second.is_over)
    counts_.evicted++;
  auto& connection = under_way_.use(key);
  if (is_new) connection.greeting = std::move(greeting);
  if (connection.is_over) return {};
  for (const auto& piece : initial->pieces) connection.pieces.add(piece);
  if (!connection.pieces.is_whole()) return {};
  connection.is_over = true;
  const auto pieces = std::exchange(connection.pieces, {});
  return tell(connection.greeting, hello_of(pieces.beginning()));
}

std::optional<EncryptedSession> Encrypted::tell(Greeting greeting, std::optional<Hello> hello) {
  const auto verdict = judge(greeting, hello, resolvers_);
  if (!verdict) return {};
  if (is_told(greeting, hello)) {
    counts_.repeated++;
    return {};
  }
  count(verdict->encryption);
  return EncryptedSession{.greeting = std::move(greeting),
                          .hello = std::move(hello),
                          .encryption = verdict->encryption,
                          .known_by = verdict->known_by};
}

// Whose port is not known, is told as it is opened: once.
bool Encrypted::is_told(const Greeting& greeting, const std::optional<Hello>& hello) {
  if (greeting.client.port == 0) return false;
  const auto now = greeting.origin.time;
  told_.forget_while([&](MonotonicTime time) { return time + kAgain <= now; });
  const auto key = key_of(greeting, hello ? Bytes(hello->random) : Bytes());
  const bool is_known = told_.find(key) != nullptr;
  told_.use(key) = now;
  return is_known;
}

void Encrypted::count(Encryption encryption) {
  switch (encryption) {
    case Encryption::dot:
      counts_.dot++;
      return;
    case Encryption::doh:
      counts_.doh++;
      return;
    case Encryption::doq:
      counts_.doq++;
  }
}

std::vector<EncryptedSession> Encrypted::expire(MonotonicTime now) {
  std::vector<std::string> late;
  for (const auto& [key, connection] : under_way_.entries())
    if (!connection.is_over && connection.greeting.origin.time + kPatience <= now)
      late.push_back(key);
  std::vector<EncryptedSession> sessions;
  for (const std::string& key : late) {
    auto& connection = *under_way_.find(key);
    connection.is_over = true;
    const auto pieces = std::exchange(connection.pieces, {});
    if (auto session = tell(connection.greeting, hello_of(pieces.beginning())))
      sessions.push_back(std::move(*session));
  }
  under_way_.forget_while(
      [&](const UnderWay& each) { return each.greeting.origin.time + kAgain <= now; });
  return sessions;
}

bool conceal(const wire::Sample& sample, Redactor&, std::vector<std::byte>& clean) {
  if (is_greeting(sample.header.kind)) {
    const auto greeting = greeting_of(sample);
    if (!greeting) return false;
    if (!is_known(*greeting)) return without_bytes(sample, clean);
  }
  clean.assign(sample.bytes.begin(), sample.bytes.end());
  return true;
}

Record record_of(const EncryptedSession& session, Arena& arena) {
  const Greeting& greeting = session.greeting;
  const Hello* hello = session.hello ? &*session.hello : nullptr;
  const auto kept = [&](const std::string& text) {
    return text.empty() ? Value{} : Value{arena.keep(text)};
  };
  return kEncrypted(
      greeting.origin, name(session.encryption), name(session.known_by),
      hello ? kept(hello->server_name) : Value{},
      hello && !hello->protocols.empty() ? Value{texts(hello->protocols, arena)} : Value{},
      hello ? Value{name(hello->extent)} : Value{},
      kept(address_text(greeting.server, greeting.ip_version)), greeting.server.port,
      kept(address_text(greeting.client, greeting.ip_version)),
      greeting.client.port ? Value{std::uint64_t{greeting.client.port}} : Value{},
      name(greeting.transport), std::string_view(greeting.ip_version == 4 ? "ipv4" : "ipv6"),
      kept(greeting.interface));
}

}  // namespace tapio::dns
