// SPDX-License-Identifier: Apache-2.0
#include "base/log.hpp"
#include "container.abi.h"
#include "container.skel.h"
#include "container_hooks.hpp"
#include "container_observer.hpp"

namespace tapio::container {

namespace {

std::optional<Watch> open_watch(const Config& config, Outside& outside) {
  std::optional<CgroupFiles> files;
  const auto opened = outside.attempt("open cgroups", [&]() -> Status {
    files.emplace(TRY(CgroupFiles::open(capture::find_hierarchy())));
    return {};
  });
  if (opened) return Watch(std::move(files), config, outside);
  log::warning("container: no limits and no memory are read: {}", opened.error().what);
  return std::nullopt;
}

Result<std::unique_ptr<Observer>> start(const Start& start) {
  const auto& config = start.settings.as<Config>();
  TRY(config.check());
  const capture::Wishes wishes{.ring_bytes = config.ring.bytes};
  TRY(start.programs.load<container_bpf>(kHooks, wishes, [](container_bpf&) {}));
  return std::make_unique<ContainerObserver>(config, open_watch(config, start.outside));
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
