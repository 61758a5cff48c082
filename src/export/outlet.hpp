// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <random>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "base/backoff.hpp"
#include "base/log.hpp"
#include "export/sink.hpp"

namespace tapio {

enum class DropReason : std::uint8_t {
  queue_full,  // the sink was too slow
  failed,      // the sink refused the batch, or was stopped before it took it
  not_kept,    // the sink had it in its own keeping, and could not hand it on
};
[[nodiscard]] std::string_view name(DropReason reason);

// The account of one sink in records, at one moment: offered = sent + dropped + pending.
struct OutletCounts {
  static constexpr std::size_t kReasons = 3;
  std::uint64_t offered = 0;
  std::uint64_t sent = 0;
  std::uint64_t pending = 0;  // queued, or in the sink's hands
  std::uint64_t kept = 0;     // of these, what the sink has in its own keeping
  std::array<Tally, kReasons> dropped_by{};
  std::uint64_t retries = 0;  // of batches
  std::size_t queued_bytes = 0;

  [[nodiscard]] const Tally& dropped(DropReason reason) const;
  [[nodiscard]] std::uint64_t dropped() const;
};

struct OutletLimits {
  std::size_t queue_bytes = 8 << 20;  // of Batch::bytes()
  Backoff retry;
};

// Whether a gathering sink is to get the batch at once.
[[nodiscard]] bool is_urgent(const Batch& batch);

// One sink with its thread and its queue. A batch that finds no room is dropped and counted. What
// the sink calls unavailable is tried again until it is taken; any other fault drops the batch.
class Outlet {
 public:
  using Deadline = std::chrono::steady_clock::time_point;

  // `name` is the sink's, for logs.
  Outlet(std::string name, std::unique_ptr<Sink> sink, OutletLimits limits = {});
  ~Outlet();  // as stop() with a deadline that has passed
  Outlet(const Outlet&) = delete;
  Outlet& operator=(const Outlet&) = delete;

  // Never waits for the sink. From any thread; the order of one caller's batches is kept.
  void offer(std::shared_ptr<const Batch> batch);

  // New settings of the sink, which gets them before its next write.
  void configure(std::unique_ptr<config::Section> settings);

  // Lets the sink take what is queued until the deadline, then counts the rest as failed. Returns
  // when the write that is under way does. Later offers are dropped.
  void stop(Deadline deadline);

  [[nodiscard]] OutletCounts counts() const;
  [[nodiscard]] const std::string& name() const { return name_; }

 private:
  static constexpr std::chrono::milliseconds kSettleEvery{100};
  void run(const std::stop_token& stop);
  using Batches = std::vector<std::shared_ptr<const Batch>>;
  std::optional<Batches> next(const std::stop_token& stop);
  void gather(std::unique_lock<std::mutex>& lock, const std::stop_token& stop);
  [[nodiscard]] bool is_enough() const;  // for a group
  void deliver(const Batches& group, const std::stop_token& stop);
  Status write(const Batches& group);
  // False: the deadline has passed.
  bool wait_to_retry(unsigned failures, const std::stop_token& stop);
  void finish(const Batches& group, std::optional<DropReason> dropped);
  void settle();
  void complain(const Error& error);
  [[nodiscard]] bool too_late() const;

  const std::string name_;
  const std::unique_ptr<Sink> sink_;
  const Gathering gathering_;
  const bool keeps_;
  const OutletLimits limits_;

  mutable std::mutex mutex_;
  std::condition_variable_any changed_;
  std::deque<std::shared_ptr<const Batch>> queue_;  // bounded by limits_.queue_bytes
  std::size_t queued_records_ = 0;                  // in queue_
  bool urgent_ = false;                             // something in queue_ is; gathering sinks only
  OutletCounts counts_;
  std::unique_ptr<config::Section> settings_;  // that the sink has not got yet
  std::optional<Deadline> deadline_;           // set: stopping

  std::minstd_rand random_{std::random_device{}()};  // of the thread, as is what follows
  log::Sparingly complaints_;
  bool hurried_ = false;  // a stop has cut a wait short, for one more attempt at once
  std::jthread thread_;
};

}  // namespace tapio
