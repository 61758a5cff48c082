// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <random>
#include <stop_token>
#include <vector>

#include "base/backoff.hpp"
#include "export/sink.hpp"
#include "otlp_request.hpp"
#include "otlp_spool.hpp"

namespace tapio::otlp {

// What became of an attempt to send a request.
struct Outcome {
  enum class What : std::uint8_t {
    taken,
    refused,  // for good
    later,
  };
  What what{};
  std::uint64_t rejected = 0;  // of what was taken, or of everything
  std::optional<std::chrono::seconds> retry_after{};
};

// Between the sink, which never waits, and the sender, which does. One request of each signal is in
// memory; those that come while it waits or is on its way go to the spool. Signals do not wait for
// one another, for they may have different receivers. From two threads.
class Outbox {
 public:
  using Time = std::chrono::steady_clock::time_point;
  struct Parcel {
    std::shared_ptr<const Request> request;
    std::optional<std::int64_t> row;  // of the spool
  };
  // Receivers ask for hours at most.
  static constexpr std::chrono::seconds kLongestPause{600};

  // Without a spool, what has no room in memory is refused.
  explicit Outbox(std::unique_ptr<Spool> spool, Backoff backoff = {});

  // The sink's side. Takes all or, on a fault, none.
  Status put(std::vector<Request>& requests);
  // What was settled since the last call.
  Settled settle();
  // Waits until all requests of signals that have not failed are gone, or the deadline has passed.
  void wait_until_idle(Time deadline);
  // The sender is gone: what is in memory goes to the spool, or is lost.
  void put_away();
  [[nodiscard]] std::uint64_t waiting() const;  // requests

  // The sender's side. The oldest request of a signal whose time has come; nothing: stopped.
  std::optional<Parcel> next(const std::stop_token& stop);
  // How long this signal waits now; 0: it does not.
  std::chrono::milliseconds done(const Parcel& parcel, const Outcome& outcome);

 private:
  struct Lane {
    std::shared_ptr<const Request> slot;
    unsigned failures = 0;  // in a row
    Time next_attempt{};
  };
  [[nodiscard]] Lane& lane(Signal signal) { return lanes_[static_cast<std::size_t>(signal)]; }
  [[nodiscard]] bool has_work(Signal signal) const;
  [[nodiscard]] bool is_idle() const;
  std::optional<Parcel> take(Signal signal, Time now);
  [[nodiscard]] Time earliest() const;
  bool remove(const Parcel& parcel);
  void count(const Tally& tally, std::uint64_t rejected);

  const Backoff backoff_;
  mutable std::mutex mutex_;
  std::condition_variable_any changed_;
  std::unique_ptr<Spool> spool_;
  std::array<Lane, kSignals> lanes_;
  std::size_t turn_ = 0;  // which signal is asked first
  Settled settled_;
  std::minstd_rand random_{std::random_device{}()};
};

}  // namespace tapio::otlp
