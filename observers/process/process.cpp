// SPDX-License-Identifier: Apache-2.0
#include <unistd.h>

#include "process.abi.h"
#include "process.skel.h"
#include "process_hooks.hpp"
#include "process_observer.hpp"
#include "process_text.hpp"

namespace tapio::process {

namespace {

capture::Wishes wishes(const config::Section& settings) {
  const auto& config = settings.as<Config>();
  capture::Wishes wishes{.ring_bytes = config.ring.bytes};
  wishes.rate_per_second[TAPIO_NORMAL] = config.rate_per_second;
  wishes.rate_per_second[TAPIO_BULK] = config.noise_rate_per_second;
  wishes.keep_one_in[TAPIO_NORMAL] = wishes.keep_one_in[TAPIO_BULK] = config.keep_one_in;
  if (config.syscalls) wishes.granted.insert(kSyscalls);
  return wishes;
}

Result<std::unique_ptr<Observer>> start(const Start& start) {
  const auto& config = start.settings.as<Config>();
  TRY(config.check());
  TRY(start.programs.load<process_bpf>(kHooks, wishes(start.settings), [&](process_bpf& s) {
    s.rodata->signal_mask = config.signal_mask();
    s.rodata->filter = config.filter();
    s.rodata->page_bytes = static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
    s.rodata->deliveries = config.deliveries;
    s.rodata->bomb_processes = config.detect_fork_bomb_processes;
    s.rodata->by_syscalls = served_by_syscalls(start.programs.choices());
  }));
  return std::make_unique<ProcessObserver>(config);
}

}  // namespace

extern const Descriptor descriptor;
const Descriptor descriptor{
    .name = "process",
    .id = TAPIO_PROCESS_FORK >> 8,
    .summary = "Processes from fork to exit, and the signals between them.",
    .hooks = kHooks,
    .schemas = kSchemas,
    .provides = facts_of<ProcessStarted, ProcessExecuted, ProcessExited, SignalSent, ExecFailed,
                         CredentialsChanged, Traced, OomKilled, Multiplied, Detected>,
    .needs = Detectors::kNeeds,
    .settings = config::section<Config>,
    .start = start,
    .wishes = wishes,
    .conceal = conceal,
    .views = kViews,
};

}  // namespace tapio::process
