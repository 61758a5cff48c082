// SPDX-License-Identifier: Apache-2.0
#include <unistd.h>

#include "kmsg_observer.hpp"
#include "kmsg_schemas.hpp"

namespace tapio::kmsg {

namespace {

Result<std::unique_ptr<Observer>> start(const Start& start) {
  auto log = TRY(open_log());
  return std::make_unique<KmsgObserver>(start.settings.as<Config>(), std::move(log),
                                        monotonic_now(),
                                        static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE)));
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
