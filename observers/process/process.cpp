// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <unistd.h>

#include <charconv>
#include <cstring>

#include "process.abi.h"
#include "process.skel.h"
#include "process_hooks.hpp"
#include "process_observer.hpp"

namespace tapio::process {

namespace {

Result<std::uint64_t> signal_mask(const std::vector<std::string>& names) {
  if (names.empty()) return ~std::uint64_t{0};
  std::uint64_t mask = 0;
  for (const auto& name : names) {
    const auto signal = signal_number(name);
    if (!signal) return invalid(fmt::format("signals: '{}' is no signal; try KILL or 9", name));
    mask |= std::uint64_t{1} << (signal - 1);
  }
  return mask;
}

Result<tapio_filter> filter_of(const Config& config) {
  tapio_filter filter{};
  if (!config.filter_uid.empty()) {
    const auto& text = config.filter_uid;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), filter.uid);
    if (error != std::errc{} || end != text.data() + text.size())
      return invalid(fmt::format("filter.uid: '{}' is no user id", text));
    filter.check |= TAPIO_CHECK_UID;
  }
  if (!config.filter_comm.empty()) {
    if (config.filter_comm.size() >= sizeof filter.comm)
      return invalid(fmt::format("filter.comm: a name has at most 15 bytes, '{}' has {}",
                                 config.filter_comm, config.filter_comm.size()));
    std::memcpy(filter.comm, config.filter_comm.data(), config.filter_comm.size());
    filter.check |= TAPIO_CHECK_COMM;
  }
  filter.cgroup_id = config.filter_cgroup;
  if (config.filter_cgroup) filter.check |= TAPIO_CHECK_CGROUP;
  if (config.filter_container_only) filter.check |= TAPIO_CHECK_CONTAINER;
  return filter;
}

Result<std::unique_ptr<Observer>> start(const Start& start) {
  const auto& config = start.settings.as<Config>();
  const auto mask = TRY(signal_mask(config.signals));
  const auto filter = TRY(filter_of(config));
  capture::Wishes wishes{.ring_bytes = config.ring.bytes};
  wishes.rate_per_second[TAPIO_NORMAL] = config.rate_per_second;
  wishes.keep_one_in[TAPIO_NORMAL] = config.keep_one_in;
  TRY(start.programs.load<process_bpf>(kHooks, wishes, [&](process_bpf& s) {
    s.rodata->signal_mask = mask;
    s.rodata->filter = filter;
    s.rodata->page_bytes = static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
    s.rodata->deliveries = config.deliveries;
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
    .provides = facts_of<ProcessStarted, ProcessExecuted, ProcessExited, SignalSent>,
    .settings = config::section<Config>,
    .start = start,
};

}  // namespace tapio::process
