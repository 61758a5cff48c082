// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "base/byte_queue.hpp"
#include "base/pack.hpp"
#include "decode/wire.hpp"
#include "facts/world.hpp"
#include "record/record.hpp"

namespace tapio::agent {

// Records that were withheld, kept for a while: a story may turn out to rest on one, and what a
// story names as its evidence has to be there for who looks it up.
//
// The latest go round in a queue that is bounded by bytes. Two kinds stay on when their turn to go
// has come: the exec of a process that still runs, because who killed somebody may have been
// started long before; and what is of a process that has to do with an end by signal, as who sent
// it or as who got it, because that story is told when it has settled, which may be after the
// queue's length in a storm.
class Reserve {
 public:
  // Of the queue, and of the block of memory that contents lie in; beyond it the oldest goes.
  static constexpr std::size_t kMaxBytes = 2 << 20;
  static constexpr std::size_t kSpareBytes = 512 << 10;  // instead, while memory is short
  static constexpr std::size_t kMaxLiving = 2048;        // execs; beyond it the oldest goes
  static constexpr std::size_t kMaxInvolved = 1024;      // records; beyond it the oldest goes
  static constexpr std::size_t kMaxPids = 1024;          // involved; beyond it the older half goes
  // After the signal, or the end, and at most twice as long. No story settles for so long.
  static constexpr auto kInvolvedStays = std::chrono::seconds(10);

  struct Stats {
    std::size_t kept = 0;
    std::size_t bytes = 0;
    std::uint64_t released = 0;
    std::uint64_t forgotten = 0;
  };

  // The record of a sample that was kept, with its text in the arena; nothing: nobody can make it.
  using Make = std::function<std::optional<Record>(const wire::Sample&, Arena&)>;

  Reserve(const World& world, Make make) : world_(world), make_(std::move(make)) {}

  // Who has to do with an end by signal, and which record is of an exec. Facts come before their
  // records.
  void on_fact(const Fact& fact);
  // Ids come in ascending order.
  void keep(const Record& record, RecordId id);
  // A record that is not made yet, as the sample that it will be made of.
  void keep(const wire::Sample& sample, const Origin& origin, RecordId id);
  // Takes it out. Its text is in `arena`.
  std::optional<Record> take(RecordId id, Arena& arena);
  // Lets go of execs of processes that have ended, and of what is of those involved in an end
  // a while ago. Once a second.
  void sweep(MonotonicTime now);
  void spare_memory(bool is_short);
  [[nodiscard]] Stats stats() const;

 private:
  enum class As : std::uint8_t { taken, record, sample };
  struct Kept {
    RecordId id;
    Origin origin;
    const Schema* schema = nullptr;  // of a record
    As as = As::taken;
    bool is_exec = false;
  };
  struct Exec {
    ProcessId process;
    RecordId id;
  };
  // In as few bytes as it takes, for a `Record` has room for the most fields there may be: values,
  // packed, in the order of the schema's fields; or the sample.
  using Content = std::string_view;
  struct Shelved {
    Kept kept;
    std::string content;
  };
  using Shelf = std::map<RecordId, Shelved>;                                 // those that stay on
  static constexpr std::size_t kEach = sizeof(Kept) + ByteQueue::kOverhead;  // beside its content

  void queue(const Kept& kept, Content content);
  static Record unpack(const Kept& kept, Content content, Arena& arena);
  std::optional<Record> restore(const Kept& kept, Content content, Arena& arena);
  void forget_first();
  [[nodiscard]] bool may_live(const Kept& kept);
  void put(const Kept& kept, Content content, Shelf& shelf, std::size_t most);
  [[nodiscard]] bool lives(const Kept& kept) const;
  [[nodiscard]] bool is_involved(const Kept& kept) const;
  void involve(std::uint32_t pid);
  void turn(MonotonicTime now);

  const World& world_;
  Make make_;
  Packer pack_;
  std::deque<Kept> queue_;
  ByteQueue contents_{kMaxBytes};  // of those in the queue, one by one
  Shelf living_, involved_;
  Exec exec_;  // the latest
  // Those in the queue of whose process no end was heard since, by pid. In a storm most have ended
  // when their turn to go comes, and this says so; the World's table is in no cache by then.
  std::unordered_map<std::uint32_t, Exec> not_ended_;
  std::unordered_set<std::uint32_t> involved_pids_, involved_before_;  // since turned_, before it
  MonotonicTime turned_{};
  std::size_t queue_bytes_ = 0, most_bytes_ = kMaxBytes;
  std::uint64_t released_ = 0, forgotten_ = 0;
};

}  // namespace tapio::agent
