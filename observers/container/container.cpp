// SPDX-License-Identifier: Apache-2.0
#include "base/log.hpp"
#include "container.abi.h"
#include "container.skel.h"
#include "container_hooks.hpp"
#include "container_observer.hpp"

namespace tapio::container {

namespace {

std::optional<Watch> open_watch(const capture::Kernel& kernel, const Config& config) {
  auto files = CgroupFiles::open(capture::find_hierarchy(kernel.btf));
  if (files) return Watch(std::move(*files), config);
  log::warning("container: no limits and no memory are read: {}", files.error().what);
  return std::nullopt;
}

Result<std::unique_ptr<Observer>> start(const Start& start) {
  const auto& config = start.settings.as<Config>();
  TRY(config.check());
  const capture::Wishes wishes{.ring_bytes = config.ring.bytes};
  auto loaded = start.programs.load<container_bpf>(kHooks, wishes, [](container_bpf&) {});
  if (!loaded && loaded.error().fault != Fault::unsupported)
    return std::unexpected(std::move(loaded.error()));
  auto watch = open_watch(start.programs.kernel(), config);
  // Without events the agent's walks tell which cgroups there are, and their files can be read.
  if (!loaded && !watch) return std::unexpected(std::move(loaded.error()));
  return std::make_unique<ContainerObserver>(config, std::move(watch));
}

}  // namespace

extern const Descriptor descriptor;
const Descriptor descriptor{
    .name = "container",
    .id = TAPIO_CONTAINER_CREATED >> 8,
    .summary = "Control groups: whose they are, their memory and their limits.",
    .hooks = kHooks,
    .schemas = kSchemas,
    .provides = facts_of<CgroupCreated, CgroupRemoved, CgroupLimitChanged, CgroupMemory>,
    .needs = facts_of<CgroupCreated, CgroupRemoved>,
    .settings = config::section<Config>,
    .start = start,
};

}  // namespace tapio::container
