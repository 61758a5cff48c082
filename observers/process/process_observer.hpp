// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>

#include "base/bucket.hpp"
#include "observer.hpp"
#include "process.abi.h"
#include "process_config.hpp"
#include "process_detectors.hpp"
#include "process_schemas.hpp"

namespace tapio::process {

// What the kernel says of who made a signal; `siginfo` is a tapio_siginfo, or any byte.
[[nodiscard]] SignalClass classify(std::int32_t signal, std::int32_t code, std::uint8_t siginfo);

// "/usr/bin/ls" from "ls\0bin\0usr\0"; "…/bin/ls" when the way up was not followed to the root.
std::string_view join_path(std::string_view leaf_first, bool complete, Arena& arena);

// The last few processes of a kind; beyond kMost the oldest is forgotten.
template <std::size_t kMost>
class Recent {
 public:
  [[nodiscard]] bool contains(ProcessId id) const {
    return std::ranges::find(ids_, id) != ids_.end();
  }
  // False: it is one of them already.
  bool insert(ProcessId id) {
    if (contains(id)) return false;
    ids_[next_++ % kMost] = id;
    return true;
  }

 private:
  std::array<ProcessId, kMost> ids_{};
  std::size_t next_ = 0;
};

// Turns events of processes into facts and records. Knows nothing of libbpf; a test feeds it bytes.
class ProcessObserver final : public Observer {
 public:
  explicit ProcessObserver(const Config& config)
      : beginnings_(config.lifecycle_rate_per_second),
        lifecycle_(config.lifecycle_rate_per_second),
        detectors_(config) {}

  Status on_sample(const wire::Sample& sample, Output& out) override;
  void on_tick(MonotonicTime now, Output& out) override;
  void on_surplus(const Surplus& surplus, MonotonicTime now, Output& out) override;
  void on_fact(const Fact& fact, Output& out) override { detectors_.on_fact(fact, out); }
  void on_settings(const config::Section& settings) override;

  // Threads that end together may each report the end of their process, within microseconds. With
  // more other ends in between, a second report passes.
  static constexpr std::size_t kEnds = 64;
  // Processes with a failed exec that was seen. With more between failure and exit, it is concluded
  // from the exit status once more.
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
  void hand_out(const Record& record, const tapio_event_header& header, Output& out);

  Bucket beginnings_;  // of fork and exec
  Bucket lifecycle_;
  Recent<kEnds> exited_, died_;
  Recent<kFailedExecs> failed_;
  Detectors detectors_;
};

}  // namespace tapio::process
