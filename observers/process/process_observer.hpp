// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <optional>
#include <utility>

#include "base/bucket.hpp"
#include "observer.hpp"
#include "process.abi.h"
#include "process_config.hpp"
#include "process_detectors.hpp"
#include "process_schemas.hpp"

namespace tapio::process {

// What the kernel says of who made a signal; `siginfo` is a tapio_siginfo, or any byte.
[[nodiscard]] SignalClass classify(std::int32_t signal, std::int32_t code, std::uint8_t siginfo);

// The last few processes of a kind: of those whose pids are alike modulo kMost, the latest.
template <std::size_t kMost>
class Recent {
 public:
  [[nodiscard]] bool contains(ProcessId id) const { return ids_[id.pid % kMost] == id; }
  // False: it is one of them already.
  bool insert(ProcessId id) { return std::exchange(ids_[id.pid % kMost], id) != id; }

 private:
  std::array<ProcessId, kMost> ids_{};
};

// Turns events of processes into facts and records. Knows nothing of libbpf; a test feeds it bytes.
class ProcessObserver final : public Observer {
 public:
  explicit ProcessObserver(const Config& config)
      : beginnings_(config.lifecycle_rate_per_second),
        lifecycle_(config.lifecycle_rate_per_second),
        detectors_(config) {}

  Status on_sample(const wire::Sample& sample, Output& out) override;
  // Of forks, execs and exits.
  [[nodiscard]] std::optional<Record> make_record(const wire::Sample& sample, const Clocks& clocks,
                                                  Arena& arena) const override;
  void on_tick(MonotonicTime now, Output& out) override;
  void on_surplus(const Surplus& surplus, MonotonicTime now, Output& out) override;
  void on_fact(const Fact& fact, Output& out) override { detectors_.on_fact(fact, out); }
  void on_settings(const config::Section& settings) override;

  // Threads that end together may each report the end of their process, within microseconds. With
  // an end of another process in between whose pid is alike, a second report passes.
  static constexpr std::size_t kEnds = 64;
  // Processes with a failed exec that was seen. With another whose pid is alike between failure and
  // exit, it is concluded from the exit status once more.
  static constexpr std::size_t kFailedExecs = 512;

 private:
  Status on_fork(const wire::Sample& sample, Output& out);
  Status on_exec(const wire::Sample& sample, Output& out);
  Status on_multiply(const wire::Sample& sample, Output& out);
  Status on_exit(const wire::Sample& sample, Output& out);
  Status on_death(const wire::Sample& sample, Output& out);
  Status on_signal(const wire::Sample& sample, Output& out);
  Status on_delivery(const wire::Sample& sample, Output& out);
  Status on_oom(const wire::Sample& sample, Output& out);
  Status on_credentials(const wire::Sample& sample, Output& out);
  Status on_trace(const wire::Sample& sample, Output& out);
  Status on_exec_failed(const wire::Sample& sample, Output& out);
  // Whether there was something to announce.
  bool compare(const CredentialsChanged& now, const Origin& origin,
               const tapio_event_header& header, Output& out);
  void announce(const CredentialsChanged& change, const Origin& origin,
                const tapio_event_header& header, Output& out);
  void conclude(const tapio_process_exit& exit, const Origin& origin, std::string_view name,
                Output& out);
  // Nothing: it may go out.
  [[nodiscard]] static std::optional<Withheld> withheld(const tapio_event_header& header,
                                                        Bucket& rate);
  void hand_out(const Record& record, const tapio_event_header& header, Output& out);
  // A record that is made if it goes out, and else when a story asks for it.
  static void hand_out(const wire::Sample& sample, const Origin& origin, Bucket& rate, Output& out,
                       auto&& make);

  Bucket beginnings_;  // of fork and exec
  Bucket lifecycle_;
  Recent<kEnds> exited_, died_;
  Recent<kFailedExecs> failed_;
  Detectors detectors_;
};

}  // namespace tapio::process
