// SPDX-License-Identifier: Apache-2.0
#include "agent/privileges.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <linux/capability.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>

namespace tapio::agent {

namespace {

constexpr bool has(std::uint64_t set, int capability) {
  return set >> capability & 1;
}

}  // namespace

// By system call, which glibc has no function for: /proc may be missing.
std::uint64_t effective_capabilities() {
  __user_cap_header_struct header{.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
  std::array<__user_cap_data_struct, _LINUX_CAPABILITY_U32S_3> sets{};
  if (::syscall(SYS_capget, &header, sets.data()) != 0) return 0;
  return sets[0].effective | std::uint64_t{sets[1].effective} << 32;
}

std::vector<std::string> missing_capabilities(std::uint64_t effective) {
  if (has(effective, CAP_SYS_ADMIN)) return {};
  std::vector<std::string> missing;
  if (!has(effective, CAP_BPF)) missing.emplace_back("CAP_BPF");
  if (!has(effective, CAP_PERFMON)) missing.emplace_back("CAP_PERFMON");
  return missing;
}

Status check_privileges() {
  const auto missing = missing_capabilities(effective_capabilities());
  if (missing.empty()) return {};
  return fail(
      Fault::denied,
      fmt::format("loading programs into the kernel needs {}, which this process lacks: run "
                  "it as root, or give it these capabilities (CAP_SYS_ADMIN below 5.8)",
                  fmt::join(missing, " and ")));
}

}  // namespace tapio::agent
