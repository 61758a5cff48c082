// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>

#include <cerrno>

#include "usage_observer.hpp"
#include "usage_schemas.hpp"

namespace tapio::usage {

namespace {

Result<std::unique_ptr<Observer>> start(const Start& start) {
  Fd directory;
  TRY(start.outside.attempt("open /proc", [&]() -> Status {
    directory = Fd(::open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!directory) return from_errno(errno, "open /proc");
    return {};
  }));
  Files files(std::move(directory), start.outside);
  return std::make_unique<UsageObserver>(start.settings.as<Config>(), std::move(files),
                                         start.outside.page_bytes());
}

}  // namespace

extern const Descriptor descriptor;
const Descriptor descriptor{
    .name = "usage",
    .id = 0x05,
    .summary = "CPU time and memory of living processes, by program and by cgroup.",
    .hooks = {},
    .schemas = kSchemas,
    .settings = config::section<Config>,
    .start = start,
    .views = kViews,
};

}  // namespace tapio::usage
