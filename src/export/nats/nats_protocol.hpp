// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/result.hpp"

// The client protocol of NATS (docs.nats.io, "Client Protocol"): lines, and payloads of a length
// that their line says.
namespace tapio::nats {

// One thing that a server said. Its text is in the reader that it came from.
struct Said {
  enum class Kind : std::uint8_t { info, message, ping, pong, ok, error };
  Kind kind = Kind::ok;
  std::string_view subject;  // of a message
  unsigned status = 0;       // that its headers begin with, like 503 for "nobody takes it"; 0: none
  std::string_view headers;  // lines behind the status
  std::string_view text;     // the payload of a message; else what follows the word
};

// Makes of a server's bytes what it said. Trusts none of them.
class Reader {
 public:
  // An INFO lists all servers of a cluster.
  static constexpr std::size_t kMaxLine = 64 << 10;
  static constexpr std::size_t kDefaultPayload = 64 << 10;

  // Headers count for the payload. A longer one is refused.
  explicit Reader(std::size_t max_payload = kDefaultPayload) : max_payload_(max_payload) {}

  // Where the next bytes of the server go, and how many did.
  [[nodiscard]] std::span<char> room();
  void filled(std::size_t bytes) { end_ += bytes; }

  // nullopt: the next is not whole yet. It lasts until the next call of next() or room().
  Result<std::optional<Said>> next();

  [[nodiscard]] std::size_t unread() const { return end_ - begin_; }

 private:
  Result<std::optional<Said>> message(std::string_view arguments, bool with_headers,
                                      std::size_t line_bytes);

  std::size_t max_payload_;
  std::string buffer_;  // at most a line, a payload and a read
  std::size_t begin_ = 0, end_ = 0;
};

// The message that `reply` is answered for. Without an id it has no headers.
struct Publication {
  std::string_view subject;
  std::string_view reply;
  std::string_view id;  // for Nats-Msg-Id, by which a stream knows what comes twice
  std::string_view text;

  // What a server compares with its max_payload.
  [[nodiscard]] std::size_t bytes() const;
};
void append_publication(std::string& out, const Publication& publication);

}  // namespace tapio::nats
