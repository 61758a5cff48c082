// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>
#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <functional>
#include <memory>
#include <sstream>
#include <string>

#include "base/clock.hpp"
#include "capture/kernel.hpp"
#include "capture/merge.hpp"
#include "collected.hpp"
#include "enrich/world.hpp"

namespace tapio {

// A path of the tests below, in TAPIO_WITHOUT: a ring for each CPU, as groups of them have on a
// large machine. No feature, so nobody else knows it.
inline constexpr std::string_view kWithoutOneRing = "one_ring";
inline std::uint32_t cpus_per_ring_of_path() {
  const char* without = std::getenv("TAPIO_WITHOUT");
  return without && std::string_view(without).contains(kWithoutOneRing) ? 1 : 0;
}

// One observer on the live kernel, in one thread: its programs are loaded and attached, drain()
// takes what came. For kernel tests; the agent is not in it.
class Rig {
 public:
  struct Options {
    std::uint32_t self_tgid = static_cast<std::uint32_t>(::getpid());
    std::uint32_t fair_share = 1000;
    std::size_t critical_bytes = 512 << 10;
    std::uint32_t cpus_per_ring = cpus_per_ring_of_path();
  };

  Rig(const Descriptor& descriptor, const config::Section& settings, const Options& options) {
    using capture::Channel;
    const auto kernel = capture::probe();
    const bool ring = covers(kernel.features, capture::Feature::ringbuf);
    const auto ns = capture::own_pid_namespace();
    hierarchy = capture::find_hierarchy(kernel.btf);
    critical_ = must(Channel::open("critical", ring ? Channel::Kind::ring : Channel::Kind::perf,
                                   Channel::Wake::at_once, options.critical_bytes, taker()));
    programs = std::make_unique<capture::Programs>(
        capture::Common{.kernel = kernel,
                        .settings = {.pidns_dev = ns.dev,
                                     .pidns_ino = ns.ino,
                                     .self_tgid = options.self_tgid,
                                     .cgroup_subsystem = hierarchy.subsystem,
                                     .fair_share = options.fair_share,
                                     .perf = !ring},
                        .critical_fd = critical_->map_fd(),
                        .critical_bytes = options.critical_bytes,
                        .cpus_per_ring = options.cpus_per_ring},
        taker());
    observer_ = must(descriptor.start({settings, *programs}));
    if (!descriptor.hooks.empty() && !programs->loaded())
      must<void>(fail(Fault::unsupported, programs->why_not()));
    world_->watching(monotonic_now());
  }

  // All there is in the channels, in order of time.
  void drain() {
    critical_->consume();
    programs->channel().consume();
    merge_.release(MonotonicTime::max(), [this](Bytes bytes, bool) {
      must(observer_->on_sample(must(wire::open_sample(bytes)), out));
    });
  }
  void tick(MonotonicTime now) { observer_->on_tick(now, out); }
  // For storms: the books are kept, the samples are only counted.
  void count() {
    counting_ = true;
    critical_->consume();
    programs->channel().consume();
    counting_ = false;
    programs->refill(monotonic_now());
  }
  [[nodiscard]] capture::Balance balance(std::uint32_t hook) const {
    return must(programs->ledger().balance(hook));
  }
  // One that the observer shows in `tapio status`.
  [[nodiscard]] std::uint64_t counter(std::string_view name) const {
    for (const Counter& counter : observer_->counters())
      if (counter.name == name) return counter.value;
    ADD_FAILURE() << "no counter " << name;
    return 0;
  }

  template <typename T>
  static T must(Result<T> result) {
    if (!result) {
      ADD_FAILURE() << result.error().what;
      std::abort();
    }
    if constexpr (!std::is_void_v<T>) return std::move(*result);
  }

  // Whether a hook got a program, and which.
  [[nodiscard]] std::string_view program(std::size_t hook) const {
    const char* name = programs->choices()[hook].program;
    return name ? name : "";
  }

 private:
  std::unique_ptr<KnownWorld> world_ = std::make_unique<KnownWorld>();  // its address is known

 public:
  Collected out{*world_, [world = world_.get()](const Fact& fact) { world->apply(fact); }};
  capture::Hierarchy hierarchy;
  std::unique_ptr<capture::Programs> programs;
  std::uint32_t watched_kind = 0, watched_pid = 0;  // of these, count() counts the samples
  std::uint64_t counted = 0;

 private:
  capture::Channel::OnBytes taker() {
    return [this](Bytes raw) { take(raw); };
  }
  void take(Bytes raw) {
    const auto sample = must(wire::open_sample(raw));
    programs->ledger().saw(sample.header);
    if (counting_)
      counted += sample.header.kind == watched_kind && sample.header.tgid == watched_pid;
    else
      merge_.push(MonotonicTime(sample.header.time_ns), sample.bytes);
  }

  std::unique_ptr<capture::Channel> critical_;
  std::unique_ptr<Observer> observer_;
  capture::Merge merge_;
  bool counting_ = false;
};

inline void pin_to(int cpu) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(cpu, &set);
  ::sched_setaffinity(0, sizeof set, &set);
}

// A child that runs `body` and ends with its result; its pid. `body` must not use gtest.
inline pid_t child(const std::function<int()>& body) {
  const pid_t pid = ::fork();
  if (pid == 0) ::_exit(body());
  return pid;
}
inline int wait_for(pid_t pid) {
  int status = 0;
  ::waitpid(pid, &status, 0);
  return status;
}

// The first of a kind that is about this process.
template <typename Kind>
const Kind* fact_about(const Rig& rig, std::uint32_t pid) {
  for (const Fact& fact : rig.out.facts)
    if (const auto* kind = std::get_if<Kind>(&fact); kind && kind->process.pid == pid) return kind;
  return nullptr;
}

inline const Record* record_of(const Rig& rig, std::string_view name, std::uint32_t pid) {
  for (const Record& record : rig.out.records)
    if (record.schema->name == name && record.origin.pid == pid) return &record;
  return nullptr;
}

template <typename T>
T field(const Record& record, std::string_view name) {
  const auto at = std::ranges::find(record.schema->fields, name, &Field::name);
  const auto& value =
      record.values.at(static_cast<std::size_t>(at - record.schema->fields.begin()));
  const T* held = std::get_if<T>(&value);
  return held ? *held : T{};
}

// Where a test may make memory cgroups, and whether that is v2; "": no memory controller is
// mounted.
struct MemoryCgroups {
  std::string mount;
  bool v2 = false;
};
inline MemoryCgroups memory_cgroups() {
  std::stringstream text;
  text << std::ifstream("/proc/self/mountinfo").rdbuf();
  const auto mounted = capture::parse_mountinfo(text.str());
  if (const auto v1 = mounted.v1.find("memory"); v1 != mounted.v1.end()) return {v1->second};
  std::string controllers;
  std::getline(std::ifstream(mounted.v2 + "/cgroup.controllers"), controllers);
  if (controllers.find("memory") == controllers.npos) return {};
  return {mounted.v2, true};
}

// Runs everything once natively and once with each older path forced.
class OnEveryPath : public testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    if (::geteuid() != 0) GTEST_SKIP() << "loads programs into the kernel: needs root";
    const char* outside = std::getenv("TAPIO_WITHOUT");
    before_ = outside ? outside : "";
    ::setenv("TAPIO_WITHOUT", (before_ + "," + GetParam()).c_str(), 1);
  }
  void TearDown() override { ::setenv("TAPIO_WITHOUT", before_.c_str(), 1); }

 private:
  std::string before_;
};
inline const auto kEveryPath = testing::Values("", "tp_btf", "ringbuf", "ringbuf,tp_btf");
inline const auto kEveryPathAndRing =
    testing::Values("", kWithoutOneRing.data(), "tp_btf", "ringbuf", "ringbuf,tp_btf");
// For hooks that sit on functions of the kernel.
inline const auto kFunctionPaths = testing::Values("", "fentry", "fentry,kprobe", "ringbuf,fentry",
                                                   "ringbuf,tp_btf,fentry,kprobe");
inline std::string path_name(const testing::TestParamInfo<const char*>& info) {
  std::string name = *info.param ? std::string("without_") + info.param : "native";
  std::ranges::replace(name, ',', '_');
  return name;
}

}  // namespace tapio
