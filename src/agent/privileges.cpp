// SPDX-License-Identifier: Apache-2.0
#include "agent/privileges.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <linux/capability.h>

#include <fstream>

namespace tapio::agent {

namespace {

constexpr bool has(std::uint64_t set, int capability) {
  return set >> capability & 1;
}

}  // namespace

std::uint64_t effective_capabilities() {
  std::uint64_t set = 0;
  std::ifstream status("/proc/self/status");
  for (std::string key; status >> key; status.ignore(1 << 16, '\n'))
    if (key == "CapEff:") status >> std::hex >> set;
  return set;
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
