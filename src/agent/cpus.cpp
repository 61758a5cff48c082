// SPDX-License-Identifier: Apache-2.0
#include "agent/cpus.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sched.h>

#include <cerrno>

namespace tapio::agent {

static_assert(kMaxCpus == CPU_SETSIZE);

Status keep_to(std::span<const std::uint32_t> cpus) {
  if (cpus.empty()) return {};
  cpu_set_t wanted;
  CPU_ZERO(&wanted);
  for (const std::uint32_t cpu : cpus) {
    if (cpu >= kMaxCpus) return invalid(fmt::format("there is no CPU {}", cpu));
    CPU_SET(cpu, &wanted);
  }
  if (::sched_setaffinity(0, sizeof wanted, &wanted) != 0)
    return from_errno(errno, fmt::format("run on CPU {}, which its cgroup or the machine may lack",
                                         fmt::join(cpus, " or ")));
  return {};
}

}  // namespace tapio::agent
