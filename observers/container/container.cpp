// SPDX-License-Identifier: Apache-2.0
#include <sys/stat.h>

#include <charconv>

#include "base/log.hpp"
#include "container.abi.h"
#include "container.skel.h"
#include "container_hooks.hpp"
#include "container_memory_schemas.hpp"
#include "container_observer.hpp"

namespace tapio::container {

namespace {

std::optional<Watch> open_watch(const capture::Btf& btf, const Config& config, Outside& outside) {
  std::optional<CgroupFiles> files;
  const auto opened = outside.attempt("open cgroups", [&]() -> Status {
    const auto hierarchy = capture::find_hierarchy(btf);
    if (!capture::is_cgroup_mount(hierarchy.mount))
      return fail(Fault::unavailable, "no cgroup file system is mounted");
    files.emplace(TRY(CgroupFiles::open(hierarchy)));
    return {};
  });
  if (!opened) return std::nullopt;
  return Watch(std::move(files), config, outside);
}

// That of process 1, or where that is guarded, of kthreadd, process 2, which has the same unless an
// init has made another one for itself. 0: the rights to ask are missing (ptrace), or there is no
// /proc.
std::uint64_t host_mounts(Outside& outside) {
  const auto answer = outside.ask("mount namespace of the host", [] {
    struct stat seen{};
    for (const char* path : {"/proc/1/ns/mnt", "/proc/2/ns/mnt"})
      if (::stat(path, &seen) == 0) return std::to_string(seen.st_ino);
    return std::string();
  });
  std::uint64_t inode = 0;
  std::from_chars(answer.data(), answer.data() + answer.size(), inode);
  return inode;
}

Result<std::unique_ptr<Observer>> start(const Start& start) {
  const auto& config = start.settings.as<Config>();
  TRY(config.check());
  const capture::Wishes wishes{.ring_bytes = config.ring.bytes};
  auto loaded = start.programs.load<container_bpf>(kHooks, wishes, [](container_bpf&) {});
  if (!loaded && loaded.error().fault != Fault::unsupported)
    return std::unexpected(std::move(loaded.error()));
  auto open = [btf = start.programs.kernel().btf, &outside = start.outside](const Config& now) {
    return open_watch(btf, now, outside);
  };
  auto watch = open(config);
  // Without events the agent's walks tell which cgroups there are, and their files can be read.
  if (!loaded && !watch) return std::unexpected(std::move(loaded.error()));
  if (!watch)
    log::warning("container: no limits and no memory are read: no cgroup file system is mounted");
  return std::make_unique<ContainerObserver>(config, std::move(watch), std::move(open),
                                             NodeFiles(start.outside), host_mounts(start.outside));
}

}  // namespace

constexpr const Schema* kSchemas[] = {
    &kCreated,       &kRemoved,          &kLimitChanged,     &kMemory,
    &kNode,          &kOomKill,          &kOomPredicted,     &kPredictionEnded,
    &kMoved,         &kContainerCreated, &kContainerStarted, &kContainerStopped,
    &kContainerDied, &kContainerOom,     &kContainerRemoved, &kContainerLeft};

extern const Descriptor descriptor;
const Descriptor descriptor{
    .name = "container",
    .id = TAPIO_CONTAINER_CREATED >> 8,
    .summary = "Control groups: whose they are, their memory and their limits.",
    .hooks = kHooks,
    .schemas = kSchemas,
    .provides = facts_of<CgroupCreated, CgroupRemoved, CgroupLimitChanged, CgroupMemory, Detected,
                         NodePressure, CgroupConsumers, ProcessMoved>,
    .needs = facts_of<CgroupCreated, CgroupRemoved, ProcessMoved, ProcessStarted, ProcessExecuted,
                      ProcessExited, SignalSent, OomKilled>,
    .settings = config::section<Config>,
    .start = start,
};

}  // namespace tapio::container
