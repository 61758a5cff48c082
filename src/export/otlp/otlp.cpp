// SPDX-License-Identifier: Apache-2.0
#include "otlp_sink.hpp"

namespace tapio::otlp {

namespace {

Result<std::unique_ptr<Sink>> make(const config::Section& settings) {
  const auto& config = settings.as<Config>();
  if (!config.enabled) return nullptr;
  auto sink = OtlpSink::make(config);
  if (!sink) return std::unexpected(std::move(sink.error()).within("otlp"));
  return std::move(*sink);
}

}  // namespace

extern const SinkDescriptor descriptor;
const SinkDescriptor descriptor{
    .name = "otlp",
    .summary = "Records as logs, metrics and traces to a receiver of OpenTelemetry, over HTTP.",
    .settings = config::section<Config>,
    .make = make,
};

}  // namespace tapio::otlp
