// SPDX-License-Identifier: Apache-2.0
// What an event costs on a node with many containers: the same as end to end, with every process in
// one of so many that are known, with name, image and pod.
#include <fmt/format.h>

#include <cstring>

#include "agent/passes_bench.hpp"
#include "bench/bench.hpp"
#include "bench/meter.hpp"

namespace tapio::bench {

namespace {

using agent::Pipeline;

constexpr int kIterations = 5;  // each in a new pipeline
constexpr std::uint64_t kFirstId = 1'000'000;
constexpr std::uint64_t kSpread = 7919;  // a prime: processes that follow each other are far apart

std::string id_of(std::uint64_t container) {
  return fmt::format("{:064x}", container + 1);
}

void make_known(std::uint64_t containers, Pipeline& pipeline) {
  for (std::uint64_t i = 0; i < containers; ++i) {
    const auto id = id_of(i);
    const auto path =
        fmt::format("/kubepods/besteffort/pod{:08x}-1111-2222-3333-444444444444/{}", i, id);
    const auto name = fmt::format("container-{}", i);
    const auto pod = fmt::format("deployment-7d4f8b9c6-{:05}", i);
    pipeline.publish(CgroupCreated{.cgroup_id = kFirstId + i, .path = path});
    pipeline.publish(ContainerDescribed{.time = MonotonicTime(1),
                                        .id = id,
                                        .runtime = "containerd",
                                        .name = name,
                                        .image = "registry.example/team/service:1.25.3",
                                        .pod_name = pod,
                                        .pod_namespace = "production"});
  }
  pipeline.flush();
}

// Wherever a sample names the cgroup of the workload, its process's container takes that place.
Samples spread(const Samples& samples, std::uint64_t containers) {
  Samples moved = samples;
  for (auto& bytes : moved) {
    tapio_event_header header;
    std::memcpy(&header, bytes.data(), sizeof header);
    const std::uint64_t container = kFirstId + header.tgid * kSpread % containers;
    for (std::size_t at = 0; at + sizeof container <= bytes.size(); at += sizeof container)
      if (std::memcmp(&bytes[at], &header.cgroup_id, sizeof container) == 0)
        std::memcpy(&bytes[at], &container, sizeof container);
  }
  return moved;
}

void of_containers(benchmark::State& state, const Recorded& recorded, std::uint64_t containers) {
  const Workload& workload = recorded.workload;
  const Samples samples = spread(recorded.samples, containers);
  Meter meter;
  for ([[maybe_unused]] auto _ : state) {
    auto live = Live::start(workload.observer, [](Bytes) {});
    if (!live) return state.SkipWithError(live.error().what.c_str());
    (*live)->programs().detach();
    Intake intake;
    intake.admit(workload.observer.id, (*live)->programs().ledger());
    Pipeline pipeline({.run = 1, .redact = {}, .rules = stories()}, Written());
    pipeline.admit(workload.observer, (*live)->take_observer(), agent::Role::full);
    make_known(containers, pipeline);
    meter.begin();
    Passes::all(samples, intake, pipeline);
    Passes::settle(samples, pipeline);
    state.SetIterationTime(meter.end(samples.size()));
  }
  meter.report(state, workload.what, copy_floor(samples), "memcpy of the same bytes");
}

}  // namespace

void add_containers(const Recorded& recorded) {
  if (recorded.workload.observer.name != "process") return;  // the others' events have few places
  for (const std::uint64_t containers : {10, 1000, 10'000})
    add(fmt::format("EventOfContainers/{}", containers).c_str(), recorded, kIterations,
        [containers](benchmark::State& state, const Recorded& each) {
          of_containers(state, each, containers);
        });
}

}  // namespace tapio::bench
