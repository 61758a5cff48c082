// SPDX-License-Identifier: Apache-2.0
#include "cri_observer.hpp"
#include "cri_schemas.hpp"

namespace tapio::cri {

namespace {

// Threads and sockets are the outside: a replay has neither.
Result<std::unique_ptr<Observer>> start(const Start& start) {
  const auto& config = start.settings.as<Config>();
  TRY(config.check());
  std::unique_ptr<Runtimes> runtimes;
  const auto first = start.outside.ask("find runtimes", [&] {
    runtimes = std::make_unique<LiveRuntimes>(config);
    return runtimes->take();
  });
  return std::make_unique<CriObserver>(config, std::move(runtimes), start.outside, first);
}

}  // namespace

extern const Descriptor descriptor;
const Descriptor descriptor{
    .name = "cri",
    .id = 0x06,
    .summary = "What container runtimes say of their containers: names, images, pods, states.",
    .hooks = {},
    .schemas = kSchemas,
    .provides = facts_of<ContainerDescribed, ContainerAwaited, ContainerUnnamed>,
    .needs = facts_of<CgroupCreated, CgroupRemoved>,
    .settings = config::section<Config>,
    .start = start,
    .views = kViews,
};

}  // namespace tapio::cri
