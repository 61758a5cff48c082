// SPDX-License-Identifier: Apache-2.0
#include "base/log.hpp"
#include "store_sink.hpp"

namespace tapio::store {

namespace {

// A store that cannot be opened now is no reason to watch nothing: the sink tries again.
Result<std::unique_ptr<Sink>> make(const config::Section& settings) {
  const auto& config = settings.as<Config>();
  if (!config.enabled) return nullptr;
  auto sink = std::make_unique<StoreSink>(config);
  if (const Status opened = sink->open(); !opened)
    log::warning("sink store: {}; the agent goes on, and tries again", opened.error().what);
  return sink;
}

}  // namespace

extern const SinkDescriptor descriptor;
const SinkDescriptor descriptor{
    .name = "store",
    .summary = "Records in a database on this node, for `tapio query` and `tapio explain`.",
    .settings = config::section<Config>,
    .make = make,
};

}  // namespace tapio::store
