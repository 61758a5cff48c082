// SPDX-License-Identifier: Apache-2.0
#include "nats_connection.hpp"

#include <fmt/format.h>

#include <random>
#include <utility>

namespace tapio::nats {

namespace {

using std::chrono::steady_clock;

// What one send may hold back in TLS is one record of it; ours is no longer.
constexpr std::size_t kPiece = 16 << 10;

// PINGs and the like that are looked at even when the time is over: a server that has closed an
// idle connection has sent some before.
constexpr std::size_t kMaxAside = 64;

std::string new_inbox() {
  std::random_device random;
  return fmt::format("_INBOX.tapio{:08x}{:08x}{:08x}", random(), random(), random());
}

// "'Authorization Violation'" as the server says it.
std::string_view unquoted(std::string_view text) {
  while (text.starts_with('\'') || text.starts_with(' ')) text.remove_prefix(1);
  while (text.ends_with('\'') || text.ends_with(' ')) text.remove_suffix(1);
  return text;
}

}  // namespace

Result<std::unique_ptr<Connection>> Connection::open(const Address& address, const Options& options,
                                                     Deadline deadline) {
  auto link = TRY(Link::open(address, deadline));
  std::unique_ptr<Connection> connection(new Connection(std::move(link), options.max_message));
  TRY(connection->greet(address, options, deadline));
  return connection;
}

Status Connection::greet(const Address& address, const Options& options, Deadline deadline) {
  const Said first = TRY(hear(deadline));
  if (first.kind != Said::Kind::info) return fail(Fault::unavailable, "the server is no NATS");
  info_ = TRY(parse_info(first.text));
  if (!info_.headers || info_.max_payload == 0)
    return fail(Fault::unavailable, "the server is older than 2.2");
  if (info_.tls_required && !address.tls)
    return fail(Fault::unavailable, "the server wants TLS; write tls://");
  if (address.tls) {
    if (!info_.tls_required && !info_.tls_available)
      return fail(Fault::unavailable, "the server has no TLS");
    // It would be believed as if it had come in TLS.
    if (reader_.unread() > 0) return fail(Fault::unavailable, "the server spoke before TLS");
    TRY(link_->secure(options.tls, address.host, deadline));
  }
  inbox_ = new_inbox();
  to_send_ =
      fmt::format("CONNECT {}\r\nSUB {}.> 1\r\nPING\r\n",
                  connect_json(options.name, options.login, info_.nonce, address.tls), inbox_);
  for (;;) {
    const Said answer = TRY(hear(deadline));
    if (answer.kind == Said::Kind::pong) return {};
    if (answer.kind == Said::Kind::error)
      return fail(Fault::unavailable, std::string(unquoted(answer.text)));
    TRY(heed(answer));
  }
}

// There has to be something, of whatever kind.
Result<Said> Connection::hear(Deadline deadline) {
  const auto heard = TRY(said(deadline));
  if (!heard || steady_clock::now() > deadline)
    return fail(Fault::unavailable, "the server did not answer in time");
  return *heard;
}

// Ends: what is not whole yet has a bound.
Result<std::optional<Said>> Connection::said(Deadline deadline) {
  for (;;) {
    TRY(send_some());
    if (const auto whole = TRY(reader_.next())) return whole;
    const std::size_t got = TRY(link_->receive(reader_.room()));
    reader_.filled(got);
    if (got == 0 && !TRY(link_->wait(unsent() > 0, deadline))) return std::nullopt;
  }
}

Result<std::optional<Said>> Connection::next(Deadline deadline) {
  for (std::size_t aside = 0; aside < kMaxAside || steady_clock::now() < deadline; ++aside) {
    const auto heard = TRY(said(deadline));
    if (!heard || heard->kind == Said::Kind::message) return heard;
    TRY(heed(*heard));
  }
  return std::nullopt;
}

Status Connection::send_some() {
  while (unsent() > 0) {
    const auto piece = std::string_view(to_send_).substr(sent_, kPiece);
    const std::size_t taken = TRY(link_->send(piece));
    if (taken == 0) break;
    sent_ += taken;
  }
  to_send_.erase(0, std::exchange(sent_, 0));
  return {};
}

Status Connection::heed(const Said& said) {
  switch (said.kind) {
    case Said::Kind::ping:
      to_send_ += "PONG\r\n";
      if (unsent() > kMaxUnsent) return fail(Fault::unavailable, "the server takes nothing");
      return {};
    case Said::Kind::error:
      // After any other error than this the server closes, and says no more.
      if (!said.text.contains("Permissions Violation"))
        return fail(Fault::unavailable, std::string(unquoted(said.text)));
      complaint_ = unquoted(said.text);
      return {};
    case Said::Kind::info:
      info_ = TRY(parse_info(said.text));
      return {};
    case Said::Kind::message:
    case Said::Kind::pong:
    case Said::Kind::ok:
      return {};
  }
  return {};
}

}  // namespace tapio::nats
