// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/bucket.hpp"
#include "observer.hpp"
#include "process.abi.h"
#include "process_config.hpp"
#include "process_schemas.hpp"

namespace tapio::process {

// What the kernel's siginfo says of who made a signal.
[[nodiscard]] SignalClass classify(std::int32_t signal, std::int32_t code, tapio_siginfo siginfo);

// "/usr/bin/ls" from "ls\0bin\0usr\0"; "…/bin/ls" when the way up was not followed to the root.
std::string_view join_path(std::string_view leaf_first, bool complete, Arena& arena);

// Turns events of processes into facts and records. Knows nothing of libbpf; a test feeds it bytes.
class ProcessObserver final : public Observer {
 public:
  explicit ProcessObserver(const Config& config) : lifecycle_(config.lifecycle_rate_per_second) {}

  Status on_sample(const wire::Sample& sample, Output& out) override;
  void on_surplus(const Surplus& surplus, MonotonicTime now, Output& out) override;

  static constexpr std::size_t kMaxArgs = 256;  // beyond it arguments are cut, and marked so

 private:
  Status on_fork(const wire::Sample& sample, Output& out);
  Status on_exec(const wire::Sample& sample, Output& out);
  Status on_exit(const wire::Sample& sample, Output& out);
  Status on_death(const wire::Sample& sample, Output& out);
  Status on_signal(const wire::Sample& sample, Output& out);
  Status on_delivery(const wire::Sample& sample, Output& out);
  void hand_out(const Record& record, const tapio_event_header& header, Output& out);

  Bucket lifecycle_;
};

}  // namespace tapio::process
