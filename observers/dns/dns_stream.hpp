// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <list>
#include <map>
#include <optional>
#include <vector>

#include "dns_datagram.hpp"

namespace tapio::dns {

// Bytes of one direction of a TCP connection.
struct Segment {
  Origin origin;  // without a process when it is not known who sent it
  bool was_sent = false;
  std::uint8_t ip_version = 4;
  Endpoint source, destination;
  std::uint32_t network_namespace = 0;
  std::string interface;
  std::uint32_t sequence = 0;  // TCP's, of the first byte
  std::uint32_t size = 0;      // of which `bytes` are here
  std::vector<std::byte> bytes;
};
[[nodiscard]] Result<Segment> segment_of(const wire::Sample& sample);

// Takes messages out of the bytes of one direction of a connection (RFC 1035, section 4.2.2: two
// bytes of length, then the message). Bytes come in order; some may be missing.
class Framing {
 public:
  struct Whole {
    std::vector<std::byte> kept;  // its first bytes
    std::uint16_t size = 0;
    MonotonicTime began{};  // when its first byte came
  };

  // `bytes`, and behind them `missing` others that are not known; together what was sent at once.
  void take(Bytes bytes, std::size_t missing, MonotonicTime time, std::vector<Whole>& out);

  // Where a message begins is not known; what is sent next may begin with one.
  [[nodiscard]] bool is_lost() const { return !in_step_; }
  // Bytes were passed over that may have held messages.
  [[nodiscard]] bool has_skipped() const { return skipped_ > 0; }
  [[nodiscard]] std::uint64_t skipped() const { return skipped_; }

 private:
  [[nodiscard]] bool has_length() const { return prefix_.size() == 2; }
  Bytes take_prefix(Bytes bytes, MonotonicTime time);
  Bytes take_message(Bytes bytes);
  void finish(std::vector<Whole>& out);
  void pass(std::size_t missing, std::vector<Whole>& out);
  void lose(std::size_t bytes);

  bool in_step_ = false;
  std::vector<std::byte> prefix_;
  Whole message_;
  std::size_t got_ = 0;  // of the message, missing ones too
  std::uint64_t skipped_ = 0;
};

// Puts the segments of connections in order, and takes the messages out.
class Streams {
 public:
  static constexpr std::size_t kMaxStreams = 1'024;  // beyond: the one of use longest ago goes
  static constexpr std::size_t kMaxAhead = 16;  // segments of a stream that wait for earlier ones
  static constexpr std::size_t kMaxWaiting = 512;  // of all streams; beyond both: nobody waits on
  // Farther from what is expected than any window of a name server: it is another connection.
  static constexpr std::int32_t kMaxDistance = 1 << 20;
  static constexpr std::chrono::nanoseconds kPatience = std::chrono::seconds(2);  // with a gap
  static constexpr std::chrono::nanoseconds kIdle = std::chrono::minutes(2);

  struct Counts {
    std::uint64_t segments = 0;
    std::uint64_t connections = 0;  // that were opened, seen or not
    std::uint64_t messages = 0;
    std::uint64_t repeated = 0;   // segments with nothing new
    std::uint64_t early = 0;      // segments before others that belong in front of them
    std::uint64_t gaps = 0;       // what was missing did not come
    std::uint64_t restarted = 0;  // streams of which another connection took the place
    std::uint64_t evicted = 0;    // streams that had to go for want of room
    std::uint64_t skipped = 0;  // bytes that were passed over, since where messages begin was lost
    std::uint64_t unreadable = 0;  // messages of which not even the header is here
  };

  Streams() = default;
  Streams(const Streams&) = delete;  // the index points into the list
  Streams& operator=(const Streams&) = delete;

  // The messages that are whole by it, as if each had come by itself.
  [[nodiscard]] std::vector<Datagram> take(Segment segment);
  [[nodiscard]] std::vector<Datagram> expire(MonotonicTime now);
  void opened() { counts_.connections++; }
  // Whether answers to this query may have been passed over unread.
  [[nodiscard]] bool may_have_missed(const Datagram& query) const;

  [[nodiscard]] const Counts& counts() const { return counts_; }
  [[nodiscard]] std::size_t open() const { return streams_.size(); }

 private:
  struct Key {
    Endpoint source, destination;
    std::uint32_t network_namespace = 0;
    bool was_sent = false;
    auto operator<=>(const Key&) const = default;
  };
  struct Stream {
    Key key;
    std::uint32_t next = 0;  // the sequence number that is expected
    MonotonicTime used{};
    // Who sent its first bytes. Later ones may leave when room for them comes, in any task.
    Origin owner;
    std::list<Segment> ahead{};  // in the order of their sequence numbers
    Framing framing{};
  };
  using Open = std::list<Stream>::iterator;

  static Key key_of(const Segment& segment);
  Stream& stream_of(const Segment& segment);
  void restart(Stream& stream, const Segment& segment);
  void keep(Stream& stream, Segment segment);
  void feed(Stream& stream, const Segment& segment, std::vector<Datagram>& out);
  void feed_ahead(Stream& stream, std::vector<Datagram>& out);
  void pass_gap(Stream& stream, std::vector<Datagram>& out);
  void put(const Stream& stream, const Segment& segment, const Framing::Whole& whole,
           std::vector<Datagram>& out);
  void forget(Open open);

  std::list<Stream> streams_;  // the one of use longest ago first
  std::map<Key, Open> by_key_;
  std::size_t waiting_ = 0;  // segments ahead, of all
  Counts counts_;
};

}  // namespace tapio::dns
