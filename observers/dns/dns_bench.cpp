// SPDX-License-Identifier: Apache-2.0
#include "bench/workload.hpp"
#include "dns_loopback.hpp"
#include "dns_messages.hpp"

namespace tapio::dns {

extern const Descriptor descriptor;

namespace {

constexpr std::uint16_t kLookups = 10'000;

void make() {
  if (!enter_own_network()) return;
  Udp server("127.0.0.1", 53), client("127.0.0.1", 0);
  for (std::uint16_t id = 0; id < kLookups; ++id) {
    const auto query = Wire::query(id, "www.bench.example", kA);
    auto answer = Wire::answer(id, "www.bench.example", kA);
    answer.record("\xc0\x0c", kCname, 300,
                  "\x03"
                  "cdn"
                  "\xc0\x10");
    answer.record("\xc0\x2f", kA, 60, "\x7f\x01\x02\x03");
    if (!exchange(server, client, "127.0.0.1", 53, query.text(), answer.text())) return;
  }
}

}  // namespace

extern const bench::Workload workload;
const bench::Workload workload{descriptor, "10000 lookups, answered with a CNAME and an A", make};

}  // namespace tapio::dns
