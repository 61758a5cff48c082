// SPDX-License-Identifier: Apache-2.0
// A question and its answer over loopback, for the hooks that no canary sings for.
#include <netdb.h>

#include "dns_loopback.hpp"
#include "dns_messages.hpp"
#include "dns_tcp_loopback.hpp"
#include "trigger.hpp"

namespace tapio::dns {

namespace {

Status ask_and_answer() {
  if (!enter_own_network()) return fail(Fault::unsupported, "no network namespace can be made");
  Udp server("127.0.0.1", 53), client("127.0.0.1", 0);
  const auto query = Wire::query(1, "matrix.example", kA),
             answer = Wire::answer(1, "matrix.example", kA);
  if (!exchange(server, client, "127.0.0.1", 53, query.text(), answer.text()))
    return fail(Fault::broken, "no answer over loopback");
  return {};
}

Status ask_and_answer_by_tcp() {
  if (!enter_own_network()) return fail(Fault::unsupported, "no network namespace can be made");
  const TcpServer listener("127.0.0.1", 53);
  const auto client = Tcp::to("127.0.0.1", 53);
  const auto server = listener.accept();
  const auto query = Wire::query(1, "matrix.example", kA),
             answer = Wire::answer(1, "matrix.example", kA);
  if (!exchange(client, server, query.text(), answer.text()))
    return fail(Fault::broken, "no answer over TCP");
  return {};
}

Status look_up_a_number() {
  addrinfo* found = nullptr;
  if (::getaddrinfo("127.0.0.1", nullptr, nullptr, &found))
    return fail(Fault::broken, "a number is no address");
  ::freeaddrinfo(found);
  return {};
}

constexpr matrix::Trigger kTriggers[] = {
    {"send", ask_and_answer},
    {"receive", ask_and_answer},
    {"tcp_send", ask_and_answer_by_tcp},
    {"tcp_receive", ask_and_answer_by_tcp},
    {"tcp_open", ask_and_answer_by_tcp},
    {"return", look_up_a_number},  // "call" tells nothing by itself
};

}  // namespace

extern std::span<const matrix::Trigger> triggers();
std::span<const matrix::Trigger> triggers() {
  return kTriggers;
}

}  // namespace tapio::dns
