// SPDX-License-Identifier: Apache-2.0
#include "bench/workload.hpp"
#include "test_cgroup.hpp"

namespace tapio::container {

extern const Descriptor descriptor;

namespace {

constexpr int kCgroups = 10;

void make() {
  for (int i = 0; i < kCgroups; ++i)
    const TestCgroup made(
        "/docker/4f797c539e6c745de61a93ca3ff892358ecbcaccd8414d5db545c38428142970");
}

}  // namespace

extern const bench::Workload workload;
const bench::Workload workload{descriptor,
                               "10 times three cgroups made and removed, as docker does", make};

}  // namespace tapio::container
