// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "base/clock.hpp"
#include "capture/channel.hpp"
#include "capture/ledger.hpp"
#include "decode/wire.hpp"

namespace tapio {

// The thread that empties the channels. It checks headers, keeps the books of what was read, and
// copies bytes into a queue; a slow pipeline must not make the kernel side lose records.
class Intake {
 public:
  // Of the queue. State and critical events may use twice as much, so that the others go first.
  static constexpr std::size_t kMaxBytes = 8 << 20;
  static constexpr std::chrono::milliseconds kBeat{
      50};  // the channels are emptied so often at least
  // Samples are handed on once in so long, however often a full ring has the channels emptied: who
  // wakes often disturbs the machine more than who works long at a time (ADR 57). At once: critical
  // ones, and as many bytes as are enough.
  static constexpr std::chrono::milliseconds kHandOn{40};
  static constexpr std::size_t kEnoughBytes = kMaxBytes / 16;

  // What became of the samples of one observer; part of the ledger.
  struct Counts {
    std::uint64_t read = 0;  // good headers
    std::uint64_t canary = 0;
    std::uint64_t queued = 0;
    std::array<std::uint64_t, TAPIO_CLASSES> queue_dropped{};
  };

  Intake() = default;
  ~Intake() { stop(); }

  // Before start(). The channel must outlive this; `ledger` is told of every record of `observer`.
  void watch(capture::Channel& channel) { channels_.push_back(&channel); }
  void admit(std::uint8_t observer, capture::Ledger& ledger) {
    sources_[observer].ledger = &ledger;
  }
  Status start();
  // Takes what is left in the channels. After it no thread touches channels or ledgers.
  void stop();

  // For a channel to hand its bytes to.
  [[nodiscard]] capture::Channel::OnBytes taker() {
    return [this](Bytes raw) { take(raw); };
  }

  // The samples that came since the last call, in `block`, which is reused; waits until they are
  // handed on, for `wait` at most. All that were submitted before the returned time are in this or
  // an earlier block.
  MonotonicTime next(std::vector<std::byte>& block, std::chrono::milliseconds wait);
  // Calls `on_sample` for each sample of a block.
  static void each(Bytes block, const std::function<void(const wire::Sample&)>& on_sample);

  // Reads books while the drain thread is kept away from them.
  template <typename Read>
  auto with_books(Read&& read) {
    const std::lock_guard lock(mutex_);
    return read();
  }
  [[nodiscard]] Counts counts(std::uint8_t observer);
  // Samples of all observers that next() has handed out.
  [[nodiscard]] std::uint64_t handed_out();
  [[nodiscard]] std::uint64_t malformed();  // samples without a header that anybody could know
  // Seen since the start: did a canary's event come out of this hook?
  [[nodiscard]] bool canary_seen(std::uint8_t observer, std::uint8_t hook);
  [[nodiscard]] MonotonicTime last_seen(std::uint8_t observer, std::uint8_t hook);

 private:
  struct Source {
    capture::Ledger* ledger = nullptr;
    Counts counts;
    std::array<bool, TAPIO_MAX_HOOKS> canaries{};
    std::array<MonotonicTime, TAPIO_MAX_HOOKS> last{};
  };

  void run(const std::stop_token& stop);
  void consume();
  [[nodiscard]] bool is_due() const;  // next() need not wait
  void take(Bytes raw);               // under the lock
  void queue(Source& source, const wire::Sample& sample);

  std::vector<capture::Channel*> channels_;
  capture::Drain drain_;
  std::mutex mutex_;
  std::condition_variable came_;
  std::map<std::uint8_t, Source> sources_;
  std::vector<std::byte> waiting_;
  std::uint64_t waiting_samples_ = 0;
  std::uint64_t handed_out_ = 0;
  bool urgent_ = false;  // something in `waiting_` is critical
  MonotonicTime drained_{};
  MonotonicTime handed_on_{};  // drained then
  std::uint64_t malformed_ = 0;
  std::jthread thread_;
};

}  // namespace tapio
