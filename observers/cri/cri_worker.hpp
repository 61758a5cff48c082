// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <unordered_map>
#include <vector>

#include "base/backoff.hpp"
#include "base/bucket.hpp"
#include "base/lru.hpp"
#include "cri_outbox.hpp"
#include "cri_runtime.hpp"

namespace tapio::cri {

struct WorkerOptions {
  Asking asking;
  std::chrono::milliseconds interval{10'000};
  std::uint32_t lookups_per_second = 100;
  Backoff backoff{std::chrono::milliseconds(100), std::chrono::milliseconds(10'000)};
  MakeRuntime make = make_runtime;
};

// Somebody wants to know of a container.
struct Wanted {
  std::string id;
  bool awaited = false;      // records wait: there has to be an answer
  MonotonicTime patience{};  // until then, "I do not know it" means "not yet"
};

// What can be said of a socket without connecting: absent, denied, or else connected.
[[nodiscard]] RuntimeState state_of_path(const std::string& path);

// Talks with one runtime, in two threads: one asks, one hears what it says of its own accord.
// Whatever it learns goes to the outbox. A runtime that goes away is tried again, at most every
// `backoff.longest`; meanwhile nobody waits for it.
class Worker {
 public:
  static constexpr std::size_t kMaxWanted = 1024;
  static constexpr std::size_t kMaxKnown = 16'384;  // containers whose state is compared
  static constexpr std::chrono::milliseconds kPatience{
      200};                                               // with a container that has just begun
  static constexpr std::chrono::milliseconds kAgain{20};  // between two tries of a patient one
  static constexpr unsigned kImagesEvery = 6;             // lists, when no event says so
  static constexpr std::chrono::milliseconds kImagesPause{1000};  // after such an event

  Worker(Socket socket, WorkerOptions options, Outbox& outbox);
  ~Worker();
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  [[nodiscard]] const Socket& socket() const { return socket_; }
  // It answers, and may have containers of that runtime; "": the path does not say which.
  [[nodiscard]] bool may_know(std::string_view runtime) const;
  // False: too many are wanted already.
  bool look_up(Wanted wanted);

 private:
  struct Known {
    ContainerState state{};
    std::uint32_t restarts = 0;
    std::uint64_t round = 0;  // of lists: it was in
  };
  struct Queued {
    Wanted wanted;
    MonotonicTime due{};
  };

  void ask(const std::stop_token& stop);
  bool connect(const std::stop_token& stop);
  void serve(const std::stop_token& stop);
  void disconnect(const Error& error);
  void tell_state(RuntimeState state);
  // What is due first, when something is before `until` or a stop.
  std::optional<Wanted> next(MonotonicTime until, const std::stop_token& stop);
  void again(Wanted wanted);
  void wake();  // with the lock
  Status answer(const Wanted& wanted, const std::stop_token& stop);
  Status list(const std::stop_token& stop);
  Status look_at_images(const std::stop_token& stop);
  void take(std::vector<Described> all, RuntimeState& state);
  void say(Described one);
  void tell_calls();
  void give_up_waiting();

  void hear(const std::stop_token& stop);
  void on_heard(const Heard& heard);

  const Socket socket_;
  const WorkerOptions options_;
  Outbox& outbox_;

  // What the other threads want.
  mutable std::mutex mutex_;
  std::condition_variable_any changed_;
  std::uint64_t wakes_ = 0;
  std::unordered_map<std::string, Queued> queue_;
  MonotonicTime images_due_ = MonotonicTime::max();
  bool connected_ = false;
  std::uint64_t connection_ = 0;  // how many there were
  Version version_;
  std::atomic<bool> hears_events_ = false;

  // Of the thread that asks.
  Meter meter_;
  std::unique_ptr<Runtime> runtime_;
  Bucket bucket_;
  Lru<std::string, Known> known_{kMaxKnown};
  std::unordered_map<std::string, std::string> images_;  // names by id; as many as are listed
  bool images_known_ = false;
  std::uint64_t round_ = 0, counted_calls_ = 0, counted_failures_ = 0;
  RuntimeState told_;
  MonotonicTime calls_since_{};

  std::jthread asks_, hears_;  // last: they use all of it
};

}  // namespace tapio::cri
