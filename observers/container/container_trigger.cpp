// SPDX-License-Identifier: Apache-2.0
// A cgroup that comes and goes, for the hooks that no canary sings for.
#include "test_cgroup.hpp"
#include "trigger.hpp"

namespace tapio::container {

namespace {

Status make_and_remove_a_cgroup() {
  const TestCgroup cgroup("");
  if (!cgroup.id()) return fail(Fault::unsupported, "no cgroup can be made");
  return {};
}

constexpr matrix::Trigger kTriggers[] = {
    {"mkdir", make_and_remove_a_cgroup},
    {"rmdir", make_and_remove_a_cgroup},
};

}  // namespace

extern std::span<const matrix::Trigger> triggers();
std::span<const matrix::Trigger> triggers() {
  return kTriggers;
}

}  // namespace tapio::container
