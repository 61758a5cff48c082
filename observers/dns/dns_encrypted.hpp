// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/bucket.hpp"
#include "base/lru.hpp"
#include "dns_greeting.hpp"
#include "dns_hello.hpp"
#include "dns_quic.hpp"
#include "dns_resolvers.hpp"

namespace tapio::dns {

enum class Encryption : std::uint8_t {
  dot,  // over TLS, RFC 7858
  doh,  // over HTTPS, RFC 8484
  doq,  // over QUIC, RFC 9250
};
// By what a connection is known to be one of encrypted DNS; the first of these that holds.
enum class KnownBy : std::uint8_t { alpn, port, server_name, address };
[[nodiscard]] std::string_view name(Encryption encryption);
[[nodiscard]] std::string_view name(KnownBy known_by);

// A connection with a server of encrypted DNS, as it began.
struct EncryptedSession {
  Greeting greeting;
  std::optional<Hello> hello;  // none: it was not to be seen, or not to be read
  Encryption encryption = Encryption::dot;
  KnownBy known_by = KnownBy::port;
};
[[nodiscard]] Record record_of(const EncryptedSession& session, Arena& arena);

// Puts a ClientHello together that comes in pieces, in any order and over several packets.
class HelloPieces {
 public:
  static constexpr std::size_t kMaxBytes = 8192;  // what is behind them is not kept

  void add(const Initial::Piece& piece);
  [[nodiscard]] Bytes beginning() const;  // as far as there is no gap
  [[nodiscard]] bool is_whole() const;

 private:
  std::vector<std::byte> bytes_;
  std::vector<bool> is_here_;  // of each of them
};

// Finds the connections of encrypted DNS among those that clients begin. Of all others nothing is
// kept: what names people ask for is nobody's business here.
class Encrypted {
 public:
  static constexpr std::size_t kMaxUnderWay = 256;  // of QUIC; beyond: the oldest goes, untold
  // Packets of QUIC that are opened in a second, which costs more than all else here; beyond: not.
  static constexpr std::uint32_t kMaxOpened = 5'000;
  static constexpr std::size_t kMaxTold = 4096;  // that are known again; beyond: the oldest goes
  static constexpr std::chrono::nanoseconds kPatience = std::chrono::seconds(2);  // for the rest
  // How long a connection is known again: what is sent anew, and the next device.
  static constexpr std::chrono::nanoseconds kAgain = std::chrono::seconds(30);

  struct Counts {
    std::uint64_t looked_at = 0;  // beginnings of connections, whatever they are for
    std::uint64_t dot = 0, doh = 0, doq = 0;
    std::uint64_t repeated = 0;    // told before
    std::uint64_t unreadable = 0;  // not TLS
    std::uint64_t evicted = 0;     // for want of room
    std::uint64_t unopened = 0;    // packets of QUIC beyond kMaxOpened
  };

  explicit Encrypted(std::span<const std::string> resolvers) : resolvers_(resolvers) {}
  void set_resolvers(std::span<const std::string> own) { resolvers_ = Resolvers(own); }

  [[nodiscard]] std::optional<EncryptedSession> take(Greeting greeting);
  // Those of which the rest did not come.
  [[nodiscard]] std::vector<EncryptedSession> expire(MonotonicTime now);

  [[nodiscard]] const Counts& counts() const { return counts_; }

 private:
  struct UnderWay {     // a connection of QUIC
    Greeting greeting;  // the first
    HelloPieces pieces;
    bool is_over = false;
  };

  std::optional<EncryptedSession> take_quic(Greeting greeting);
  std::optional<EncryptedSession> tell(Greeting greeting, std::optional<Hello> hello);
  bool is_told(const Greeting& greeting, const std::optional<Hello>& hello);
  void count(Encryption encryption);

  Resolvers resolvers_;
  Bucket opened_{kMaxOpened};
  Lru<std::string, UnderWay> under_way_{kMaxUnderWay};  // by their ends and the client's id
  Lru<std::string, MonotonicTime> told_{kMaxTold};  // by their ends and the hello's random number
  Counts counts_;
};

// A sample as it may be kept in a recording: what clients say stays only where it is to a server
// that is known without the configuration. False: it is malformed.
[[nodiscard]] bool conceal(const wire::Sample& sample, Redactor& redactor,
                           std::vector<std::byte>& clean);

}  // namespace tapio::dns
