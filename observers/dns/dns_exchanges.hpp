// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <chrono>
#include <list>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "dns_datagram.hpp"
#include "dns_lookups.abi.h"

namespace tapio::dns {

enum class Role : std::uint8_t { client, server };
enum class Outcome : std::uint8_t { answered, unanswered, unknown };
[[nodiscard]] std::string_view name(Role role);
[[nodiscard]] std::string_view name(Outcome outcome);

// A question and what came of it.
struct Lookup {
  Datagram query;
  Role role = Role::client;
  Outcome outcome = Outcome::unknown;
  std::uint32_t attempt = 1;
  MonotonicTime latest{};                       // the last time that it was asked with this id
  MonotonicTime concluded{};                    // 0: it is under way
  std::optional<Datagram> answer{};             // of Outcome::answered
  std::optional<Endpoint> stray{};              // who answered without being asked
  std::optional<std::uint32_t> search_index{};  // see Searches

  [[nodiscard]] std::chrono::nanoseconds duration() const { return concluded - query.origin.time; }
};

// Brings queries and answers together: by client, server, transport and id, in any network
// namespace, since the two ends of a virtual cable are in two. A message is seen at every device
// that it passes; the first time counts.
class Exchanges {
 public:
  static constexpr std::size_t kMaxOpen = 16'384;  // beyond: the oldest is concluded as unknown
  static constexpr std::size_t kMaxAlike = 8;      // of one client port and id; beyond: the same
  static constexpr std::size_t kMaxQuestions = 8'192;  // whose attempts are counted; beyond: not
  // The same query sooner than this is the same packet, at the next device.
  static constexpr std::chrono::nanoseconds kRepeat{TAPIO_DNS_REPEAT_NS};
  // Sooner than this it goes to several servers at once; that is one attempt.
  static constexpr std::chrono::nanoseconds kAtOnce = std::chrono::milliseconds(50);
  static constexpr std::chrono::nanoseconds kAttempts = std::chrono::seconds(30);
  // How long an answered one is kept, for its answer to be known again at the next device.
  static constexpr std::chrono::nanoseconds kLinger = std::chrono::milliseconds(100);
  // Beyond the timeout: samples and losses may come that much later.
  static constexpr std::chrono::nanoseconds kGrace = std::chrono::seconds(2);

  struct Counts {
    std::uint64_t repeated = 0;  // seen before, at another device
    std::uint64_t unasked = 0;   // answers to no query that was seen
    std::uint64_t strays = 0;    // answers from an address that was not asked
    std::uint64_t evicted = 0;   // concluded early, for want of room
  };

  explicit Exchanges(std::chrono::nanoseconds timeout) : timeout_(timeout) {}
  Exchanges(const Exchanges&) = delete;  // the index points into the list
  Exchanges& operator=(const Exchanges&) = delete;
  void set_timeout(std::chrono::nanoseconds timeout) { timeout_ = timeout; }

  // What is concluded by it; mostly one, or none. It is there until the next call.
  [[nodiscard]] std::span<Lookup* const> take(Datagram datagram);
  [[nodiscard]] std::span<Lookup* const> expire(MonotonicTime now);
  // Messages of this time were lost: what looks unanswered may not be.
  void lost(MonotonicTime from, MonotonicTime to);

  [[nodiscard]] const Counts& counts() const { return counts_; }
  [[nodiscard]] std::size_t open() const { return lookups_.size(); }

 private:
  using Open = std::list<Lookup>::iterator;
  struct Key {
    Endpoint client;
    Transport transport = Transport::udp;
    std::uint16_t id = 0;
    bool operator==(const Key&) const = default;
  };
  struct KeyHash {
    std::size_t operator()(const Key& key) const;
  };
  struct Question {
    std::uint32_t attempt = 1;
    MonotonicTime latest{};
  };
  class Alike {  // lookups of one key, oldest first
   public:
    [[nodiscard]] std::span<const Open> all() const { return std::span(all_).first(count_); }
    [[nodiscard]] Lookup* find(const Datagram& datagram) const;
    void add(Open open) { all_[count_++] = open; }  // when there are fewer than kMaxAlike
    void erase(Open open);

   private:
    std::array<Open, kMaxAlike> all_{};
    std::size_t count_ = 0;
  };

  static Key key_of(const Datagram& datagram);
  const std::string& question_of(const Datagram& query);  // until the next call
  void take_query(Datagram query);
  void take_answer(Datagram answer);
  void note_stray(const Datagram& answer, const Alike& alike);
  void again(Lookup& lookup, const Datagram& query);
  std::uint32_t attempt(const Datagram& query);
  void evict(Open open);
  void begin();
  // Nobody finds it any more.
  void unlink(Open open);
  void end(Open open, MonotonicTime concluded);
  void forget(Open open);
  [[nodiscard]] bool is_lost(const Lookup& lookup) const;

  std::chrono::nanoseconds timeout_;
  std::list<Lookup> lookups_;  // oldest first
  std::list<Lookup> ended_;    // by the latest call, and in no table any more
  std::unordered_map<Key, Alike, KeyHash> by_key_;
  std::unordered_map<std::string, Question> questions_;  // unanswered ones of clients here
  MonotonicTime lost_from_ = MonotonicTime::max(), lost_to_{};
  std::vector<Lookup*> concluded_;  // by the latest call, in either list
  std::string question_;
  Counts counts_;
};

}  // namespace tapio::dns
