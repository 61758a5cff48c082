// SPDX-License-Identifier: Apache-2.0
#include "kmsg_observer.hpp"
#include "kmsg_schemas.hpp"

namespace tapio::kmsg {

namespace {

Result<std::unique_ptr<Observer>> start(const Start& start) {
  // One after another: the order of arguments is the compiler's, that of questions is recorded.
  auto log = TRY(open_log(start.outside));
  const auto page_bytes = start.outside.page_bytes();
  const auto now = start.outside.now();
  return std::make_unique<KmsgObserver>(start.settings.as<Config>(), std::move(log), now,
                                        page_bytes);
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
