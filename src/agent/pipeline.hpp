// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <unordered_map>
#include <utility>
#include <vector>

#include "agent/losses.hpp"
#include "agent/reserve.hpp"
#include "base/log.hpp"
#include "capture/merge.hpp"
#include "decode/intake.hpp"
#include "enrich/world.hpp"
#include "evaluate/engine.hpp"
#include "observer.hpp"
#include "record/redact.hpp"

namespace tapio::agent {

enum class Role : std::uint8_t {
  full,
  provider,  // loaded because somebody needs its facts; its records are not handed out
};

// From samples to batches of records: puts them in order of time, runs observers, takes secrets
// out, applies facts to the World, tells stories, and adds what is known of the acting process.
// Reads no clock and no kernel: time comes in with the calls, so the same input gives the same
// output.
class Pipeline final : public Output {
 public:
  using Deliver = std::function<void(std::shared_ptr<const Batch>)>;
  struct Options {
    std::uint32_t run = 0;  // of record ids
    RedactConfig redact;
    std::span<const RuleDescriptor* const> rules;
  };
  // What became of an observer's samples and records; part of the ledger.
  struct Counts {
    std::uint64_t handled = 0;
    std::uint64_t malformed = 0;
    std::uint64_t late = 0;
    std::uint64_t long_calls = 0;
    std::array<std::uint64_t, TAPIO_CLASSES> emitted{};
    std::array<std::uint64_t, TAPIO_CLASSES> rate_limited{};
    std::array<std::uint64_t, TAPIO_CLASSES> filtered{};
  };

  Pipeline(const Options& options, Deliver deliver);
  void admit(const Descriptor& descriptor, std::unique_ptr<Observer> observer, Role role);

  // Samples as they were read. Critical ones are worked on at once, the others by advance().
  void take(Bytes block);
  // Works on what is older than `watermark`: nothing older comes any more.
  void advance(MonotonicTime watermark);
  void on_surplus(std::uint8_t observer, const Surplus& surplus, MonotonicTime now);
  void on_loss(const Loss& loss);
  void on_tick(MonotonicTime now);  // once a second
  // As read at `now`; for each batch, or what happened around a suspend has a wrong time.
  void set_clocks(const Clocks& read, MonotonicTime now) { clocks_ = read.after(clocks_, now); }
  // A reload.
  void configure(const RedactConfig& redact) { redactor_.configure(redact); }
  void configure(std::uint8_t observer, const config::Section& settings);
  // Hands out the batch as it is, unless it is empty, or has to wait for the names of a container:
  // then for kLongestHold at most, and those behind it with it. What take() worked on never waits.
  void flush();
  // The same for the last time: nothing waits any longer.
  void finish();
  // Tables keep less of what is over. Not while a recording is taken: a replay knows nothing of it.
  void spare_memory(bool is_short) {
    reserve_.spare_memory(is_short);
    world_.spare_memory(is_short);
  }
  static constexpr std::chrono::milliseconds kLongestHold{250};
  static constexpr std::size_t kMaxHeldBytes = 4 << 20;  // beyond it the oldest goes without names

  struct Holding {
    std::size_t batches = 0, bytes = 0;  // now
    std::uint64_t held = 0;              // batches that had to wait
    std::uint64_t unnamed = 0;           // those that went before all names had come
  };
  [[nodiscard]] const Holding& holding() const { return holding_; }

  // Observers that threw an exception since the last call, and which. They get no more samples.
  std::map<std::uint8_t, std::string> take_broken() { return std::exchange(broken_, {}); }
  // Longer ones are counted, to a tick of the clock.
  static constexpr std::chrono::milliseconds kLongCall{10};

  // A cgroup that somebody acts in and of which nothing is known, and a process that is in it.
  struct UnknownCgroup {
    std::uint64_t id;
    std::uint32_t pid;
  };
  static constexpr std::size_t kMaxUnknownCgroups = 64;  // those beyond it come again, or not
  // Those met since the last call.
  std::vector<UnknownCgroup> take_unknown_cgroups() { return std::exchange(unknown_cgroups_, {}); }

  // Samples that were taken and not worked on yet.
  [[nodiscard]] std::size_t waiting() const { return merge_.size(); }
  [[nodiscard]] KnownWorld& known() { return world_; }
  [[nodiscard]] Stories& stories() { return stories_; }
  [[nodiscard]] Redactor& redactor() { return redactor_; }
  [[nodiscard]] const std::map<std::uint8_t, Counts>& counts() const { return counts_; }
  // What an observer counts by itself; nothing of one that does not run.
  [[nodiscard]] std::vector<Counter> counters(std::uint8_t observer) const;
  [[nodiscard]] std::optional<Remark> remark(std::uint8_t observer) const;
  // Whether time is taken of each call of an observer. It costs some 50 ns a call.
  void meter(bool on) { metering_ = on; }
  // What calls of an observer took, while it was metered.
  [[nodiscard]] std::chrono::nanoseconds metered(std::uint8_t observer) const;
  [[nodiscard]] Reserve::Stats reserve() const { return reserve_.stats(); }

  // Output, for observers.
  Arena& arena() override { return arena_; }
  void publish(const Fact& fact) override;
  RecordId emit(const Record& record) override;
  RecordId withhold(const Record& record, Withheld why) override;
  RecordId withhold(const wire::Sample& sample, const Origin& origin, Withheld why) override;
  [[nodiscard]] RecordId next_id() const override { return {run_, next_}; }
  [[nodiscard]] const World& world() const override { return world_; }
  [[nodiscard]] const Clocks& clocks() const override { return clocks_; }

 private:
  static constexpr std::size_t kMaxBatchBytes = 256 << 10;  // then it goes, in the middle of a pass
  // Of one sample, with those that observers make of them. What comes beyond it is applied to the
  // World and told to nobody; a log line says so.
  static constexpr std::size_t kMaxUntold = 1024;

  struct Slice {
    const Descriptor* descriptor;
    std::unique_ptr<Observer> observer;
    Role role;
    Counts* counts;  // in `counts_`
    std::chrono::nanoseconds metered{};
  };
  Status call(Slice& slice, const wire::Sample& sample);
  void apply(Fact& fact);
  // On behalf of an observer that is not broken.
  template <typename Work>
  void work_for(Slice& slice, Work&& work);
  void work_on(const wire::Sample& sample, Order order);
  void tell();
  void tell_observers(const Fact& fact);
  std::span<const std::string_view> redact(std::span<const std::string_view> args);
  // Evidence that was withheld is handed out after all, before what rests on it.
  void release(std::span<const RecordId> evidence);
  Record record_of(const Story& story);
  [[nodiscard]] bool is_awaited(std::string_view container_id) const;
  void let_go();
  void fill_names(Place& place, Arena& arena) const;
  void fill_names(Batch& batch) const;
  [[nodiscard]] std::vector<std::string> awaited_in(const Batch& batch) const;
  // A record has this id now, and is accounted for.
  RecordId count_withheld(tapio_class event_class, Withheld why);
  [[nodiscard]] std::optional<Record> make(const wire::Sample& sample, Arena& arena) const;
  RecordId add(const Record& record);
  void add_as(RecordId id, const Record& record, Order order);
  const Context* context_of(const Origin& origin);
  const Place& place_of(const Origin& origin);
  void ask_for_cgroup(std::uint64_t id, std::uint32_t pid);

  std::uint32_t run_;
  Deliver deliver_;
  Redactor redactor_;
  KnownWorld world_;
  Reserve reserve_{
      world_, [this](const wire::Sample& sample, Arena& arena) { return make(sample, arena); }};
  Stories stories_;
  capture::Merge merge_;
  std::map<std::uint8_t, Slice> slices_;
  std::map<std::uint8_t, Counts> counts_;
  std::map<std::uint8_t, std::string> broken_;
  // What observers make of a sample lies in `arena_` until the next one. What goes on to consumers
  // is copied into the batch: in a storm nearly all is withheld, and batches may wait for long.
  std::array<std::byte, 16 << 10> room_;
  Arena arena_{room_};
  std::shared_ptr<Batch> batch_ = std::make_shared<Batch>();
  Clocks clocks_;
  std::vector<Fact> untold_;  // of the sample at hand; they stay in place, their text in the batch
  MonotonicTime now_{};       // the latest watermark
  bool urgent_ = false;       // the batch is of what cannot wait
  bool metering_ = false;
  struct Held {
    std::shared_ptr<Batch> batch;
    std::size_t bytes;
    std::vector<std::string> unnamed;
    MonotonicTime until;
  };
  std::deque<Held> held_;  // in order
  Holding holding_;
  std::uint64_t next_ = 1;
  const Slice* working_ = nullptr;
  Order order_ = Order::in_time;
  // Of the newest context in the batch; a cgroup of no process has one too.
  std::optional<std::pair<std::uint32_t, std::uint64_t>> context_of_;
  std::unordered_map<std::uint64_t, Place> places_;  // by cgroup; their text is in the batch
  std::vector<UnknownCgroup> unknown_cgroups_;
  log::Sparingly malformed_log_;
};

}  // namespace tapio::agent
