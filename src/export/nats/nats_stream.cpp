// SPDX-License-Identifier: Apache-2.0
#include "nats_stream.hpp"

#include <fmt/format.h>

#include <chrono>

namespace tapio::nats {

namespace {

std::int64_t ns(std::chrono::nanoseconds duration) {
  return duration.count();
}

}  // namespace

std::string create_stream_subject(const Config& config) {
  return "$JS.API.STREAM.CREATE." + config.stream_name;
}

// The names have been checked: nothing in them wants escaping.
std::string create_stream_json(const Config& config) {
  return fmt::format(
      R"({{"name":"{}","subjects":["{}.>"],"retention":"limits","discard":"old","storage":"file",)"
      R"("max_consumers":-1,"max_msgs":-1,"max_msg_size":-1,"max_bytes":{},"max_age":{},)"
      R"("num_replicas":{},"duplicate_window":{}}})",
      config.stream_name, config.prefix, config.stream_max_bytes.bytes, ns(config.stream_max_age),
      config.stream_replicas, ns(config.stream_duplicate_window));
}

}  // namespace tapio::nats
