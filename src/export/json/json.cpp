// SPDX-License-Identifier: Apache-2.0
#include "json_sink.hpp"

namespace tapio::json {

namespace {

Result<std::unique_ptr<Sink>> make(const config::Section& settings) {
  const auto& config = settings.as<Config>();
  if (!config.enabled) return nullptr;
  auto sink = JsonSink::open(config);
  if (!sink) return std::unexpected(std::move(sink.error()).within("json"));
  return std::move(*sink);
}

}  // namespace

extern const SinkDescriptor descriptor;
const SinkDescriptor descriptor{
    .name = "json",
    .summary = "Records as lines of JSON, to standard output or a file.",
    .settings = config::section<Config>,
    .make = make,
};

}  // namespace tapio::json
