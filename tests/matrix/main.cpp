// SPDX-License-Identifier: Apache-2.0
// Tries every program of every observer on the running kernel: over one ring buffer, over one for
// each CPU, as groups of CPUs have them on large machines, and over perf buffers; a JSON line each.
// `--list`: only what there is. `run` collects and judges the lines.
#include <bpf/libbpf.h>
#include <fmt/format.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstdlib>

#include "figures.hpp"
#include "probe.hpp"

namespace tapio::matrix {

namespace {

constexpr std::string_view kSing = "sing";

int list() {
  for (const auto* observer : observers())
    for (const auto& hook : observer->hooks)
      for (const auto& candidate : hook.candidates)
        fmt::print("{} {} {}\n", observer->name, hook.name, candidate.program);
  return 0;
}

int list_features() {
  for (const auto& feature : capture::feature_names()) fmt::print("{}\n", feature.name);
  return 0;
}

void try_channel(const char* channel, std::uint32_t cpus_per_ring, const capture::Kernel& kernel,
                 const utsname& running) {
  const std::vector<std::string> song = {"/proc/self/exe", std::string(kSing)};
  for (const auto* observer : observers()) {
    const Place place{.release = running.release,
                      .machine = running.machine,
                      .observer = observer->name,
                      .channel = channel,
                      .emulated = std::getenv("TAPIO_EMULATED") != nullptr};
    for (const auto& cell :
         try_programs(*observer, kernel, cpus_per_ring, triggers_of(observer->name), song))
      fmt::print("{}\n", to_json(place, cell));
    std::fflush(stdout);  // nothing of it may be left in a child
  }
}

// A typing error must not pass for a hook without a trigger.
bool every_trigger_has_its_hook() {
  bool all = true;
  for (const auto* observer : observers())
    for (const auto& trigger : triggers_of(observer->name)) {
      if (std::ranges::count(observer->hooks, trigger.hook, &capture::Hook::name)) continue;
      fmt::print(stderr, "{}_trigger.cpp: the observer has no hook {}\n", observer->name,
                 trigger.hook);
      all = false;
    }
  return all;
}

int try_all() {
  utsname running{};
  ::uname(&running);
  capture::log_at_debug_level();
  capture::raise_memlock();
  auto kernel = capture::probe();
  if (covers(kernel.features, capture::Feature::ringbuf)) {
    try_channel("ring", 0, kernel, running);
    if (libbpf_num_possible_cpus() > 1) try_channel("grouped ring", 1, kernel, running);
    kernel.features = without(kernel.features, capture::Feature::ringbuf);
  }
  try_channel("perf", 0, kernel, running);
  return every_trigger_has_its_hook() ? 0 : 1;
}

}  // namespace

}  // namespace tapio::matrix

int main(int count, char** arguments) {
  using namespace tapio::matrix;
  const std::string_view command = count > 1 ? arguments[1] : "";
  if (command == kSing) return ::kill(::getpid(), SIGKILL);
  if (command == "--list") return list();
  if (command == "--features") return list_features();
  if (count == 1) return try_all();
  fmt::print(stderr, "usage: tapio_matrix [--list | --features]\n");
  return 2;
}
