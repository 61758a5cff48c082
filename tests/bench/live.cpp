// SPDX-License-Identifier: Apache-2.0
#include "bench/live.hpp"

#include <benchmark/benchmark.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

#include "bench/meter.hpp"
#include "capture/kernel.hpp"
#include "decode/wire.hpp"
#include "test_cgroup.hpp"

namespace tapio::bench {

namespace {

constexpr std::size_t kCriticalBytes = 16 << 20;
constexpr const char* kRingBytes = "16MiB";
constexpr std::uint32_t kNoShare = 1'000'000;

// Nothing of a workload is to be held back: then every run has the same events. A rate that may
// be 0 is a limit, and 0 is none; another is how much work an observer does by itself.
Status lift_limits(config::Section& section) {
  for (const auto& setting : section.settings()) {
    const std::string name(setting.name);
    if (name.ends_with("_per_second") && setting.range.starts_with("0.."))
      TRY(section.set(name, std::array<std::string, 1>{"0"}));
    if (name == "ring") TRY(section.set(name, std::array<std::string, 1>{kRingBytes}));
  }
  return {};
}

}  // namespace

Result<std::unique_ptr<Live>> Live::start(const Descriptor& descriptor,
                                          const capture::Channel::OnBytes& on_bytes) {
  using capture::Channel;
  const auto kernel = capture::probe();
  const bool ring = covers(kernel.features, capture::Feature::ringbuf);
  const auto ns = capture::own_pid_namespace();
  auto live = std::make_unique<Live>();
  live->critical_ = TRY(Channel::open("critical", ring ? Channel::Kind::ring : Channel::Kind::perf,
                                      Channel::Wake::at_once, kCriticalBytes, on_bytes));
  live->programs_ = std::make_unique<capture::Programs>(
      capture::Common{
          .kernel = kernel,
          .settings = {.pidns_dev = ns.dev,
                       .pidns_ino = ns.ino,
                       .self_tgid = static_cast<std::uint32_t>(::getpid()),
                       .cgroup_subsystem = capture::find_hierarchy(kernel.btf).subsystem,
                       .fair_share = kNoShare,
                       .perf = !ring},
          .critical_fd = live->critical_->map_fd(),
          .critical_bytes = kCriticalBytes},
      on_bytes);
  const auto section = descriptor.settings();
  TRY(lift_limits(*section));
  live->observer_ = TRY(descriptor.start({*section, *live->programs_, live_outside()}));
  return live;
}

void Live::consume() {
  critical_->consume();
  programs_->channel().consume();
}

Result<std::uint64_t> make(const Workload& workload) {
  TestCgroup cgroup("/bench");
  const pid_t pid = ::fork();
  if (pid < 0) return from_errno(errno, "fork");
  if (pid == 0) {
    cgroup.enter();
    workload.make();
    ::_exit(0);
  }
  int status = 0;
  ::waitpid(pid, &status, 0);
  if (status != 0) return fail(Fault::broken, "the workload failed");
  return cgroup.id();
}

Result<Recorded> record(const Workload& workload) {
  Samples all;
  const auto live = TRY(
      Live::start(workload.observer, [&](Bytes raw) { all.emplace_back(raw.begin(), raw.end()); }));
  const std::uint64_t cgroup = TRY(make(workload));
  live->consume();
  const auto header = [](const std::vector<std::byte>& sample) {
    const auto opened = wire::open_sample(sample);
    return opened ? opened->header : tapio_event_header{};
  };
  std::erase_if(all, [&](const auto& sample) { return header(sample).cgroup_id != cgroup; });
  std::ranges::sort(all, {}, [&](const auto& sample) { return header(sample).time_ns; });
  if (all.empty()) return fail(Fault::broken, "the kernel sent nothing of the workload");
  return Recorded{workload, std::move(all)};
}

double copy_floor(const Samples& samples) {
  constexpr int kTimes = 100;
  std::vector<std::byte> into(0x10000);
  Meter meter;
  meter.begin();
  for (int i = 0; i < kTimes; ++i)
    for (const auto& sample : samples) {
      std::memcpy(into.data(), sample.data(), std::min(sample.size(), into.size()));
      benchmark::DoNotOptimize(into.data());
    }
  meter.end(kTimes * samples.size());
  return meter.ns_per_event();
}

}  // namespace tapio::bench
