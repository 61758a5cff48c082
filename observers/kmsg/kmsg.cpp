// SPDX-License-Identifier: Apache-2.0
#include "kmsg_observer.hpp"
#include "kmsg_schemas.hpp"

namespace tapio::kmsg {

namespace {

Result<std::unique_ptr<Observer>> start(const Start& start) {
  auto log = TRY(open_log(start.outside));
  return std::make_unique<KmsgObserver>(start.settings.as<Config>(), std::move(log),
                                        start.outside.now(), start.outside.page_bytes());
}

}  // namespace

extern const Descriptor descriptor;
const Descriptor descriptor{
    .name = "kmsg",
    .id = 0x03,
    .summary = "What the kernel logs when it kills for want of memory.",
    .hooks = {},
    .schemas = kSchemas,
    .provides = facts_of<OomReported>,
    .settings = config::section<Config>,
    .start = start,
};

}  // namespace tapio::kmsg
