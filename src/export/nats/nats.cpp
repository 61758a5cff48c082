// SPDX-License-Identifier: Apache-2.0
#include "nats_sink.hpp"

namespace tapio::nats {

namespace {

Result<std::unique_ptr<Sink>> make(const config::Section& settings) {
  const auto& config = settings.as<Config>();
  if (!config.enabled) return nullptr;
  auto sink = NatsSink::open(config);
  if (!sink) return std::unexpected(std::move(sink.error()).within("nats"));
  return std::move(*sink);
}

}  // namespace

extern const SinkDescriptor descriptor;
const SinkDescriptor descriptor{
    .name = "nats",
    .summary = "Records to a stream of NATS JetStream, for fleets of nodes.",
    .settings = config::section<Config>,
    .make = make,
};

}  // namespace tapio::nats
