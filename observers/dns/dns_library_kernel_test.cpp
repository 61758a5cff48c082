// SPDX-License-Identifier: Apache-2.0
// getaddrinfo() of this machine's C library, against a name server of the test's own.
#include <gmock/gmock.h>
#include <netdb.h>
#include <resolv.h>

#include <thread>

#include "dns_config.hpp"
#include "dns_hooks.hpp"
#include "dns_loopback.hpp"
#include "dns_message.hpp"
#include "rig.hpp"

namespace tapio::dns {

extern const Descriptor descriptor;

namespace {

using namespace std::chrono_literals;

Rig make_rig(bool library) {
  auto section = config::section<Config>();
  section->as<Config>().library = library;
  return Rig(descriptor, *section, {.self_tgid = 1});
}

std::string name_of(pid_t pid) {
  return fmt::format("library.p{}.tapio.example", pid);
}

// Answers one query for an address, 30 ms after it came.
bool serve_once(Udp& server) {
  if (!server.receive()) return false;
  std::this_thread::sleep_for(30ms);
  std::string answer = server.received();
  answer[2] = '\x81';  // QR, RD
  answer[3] = '\x80';  // RA
  answer[7] = 1;       // one answer: A 10.1.2.3, for 60 s
  answer += std::string("\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4\x0a\1\2\3", 16);
  return server.answer(answer);
}

int look_up() {
  if (!enter_own_network()) return 1;
  Udp server("127.0.0.1", 53);
  if (!server.bound() || ::res_init()) return 2;
  _res.nscount = 1;
  _res.nsaddr_list[0] = {.sin_family = AF_INET, .sin_port = ::htons(53), .sin_addr = {}};
  ::inet_pton(AF_INET, "127.0.0.1", &_res.nsaddr_list[0].sin_addr);
  bool served = false;
  std::thread serving([&] { served = serve_once(server); });
  const addrinfo hints{.ai_family = AF_INET};
  addrinfo* found = nullptr;
  const int result = ::getaddrinfo(name_of(::getpid()).c_str(), nullptr, &hints, &found);
  serving.join();
  if (found) ::freeaddrinfo(found);
  return result == 0 && served ? 0 : 3;
}

class DnsLibraryOnKernel : public OnEveryPath {};
INSTANTIATE_TEST_SUITE_P(Paths, DnsLibraryOnKernel, kEveryPath, path_name);

TEST_P(DnsLibraryOnKernel, a_call_is_told_with_its_time_and_that_on_the_wire) {
  auto rig = make_rig(true);
  const pid_t pid = child(look_up);
  ASSERT_EQ(WEXITSTATUS(wait_for(pid)), 0);
  rig.drain();
  const Record* call = record_of(rig, "dns.library", static_cast<std::uint32_t>(pid));
  ASSERT_NE(call, nullptr);
  EXPECT_EQ(field<std::string_view>(*call, "dns.question.name"), name_of(pid));
  EXPECT_EQ(field<std::uint64_t>(*call, "dns.wire.queries"), 1u);
  const auto wire = field<std::chrono::nanoseconds>(*call, "dns.wire.duration");
  EXPECT_GE(wire, 30ms);
  EXPECT_GE(field<std::chrono::nanoseconds>(*call, "dns.library.duration"), wire);
}

TEST_P(DnsLibraryOnKernel, nobody_pays_for_it_who_did_not_ask) {
  auto rig = make_rig(false);
  const auto index = static_cast<std::size_t>(TAPIO_DNS_ON_CALL);
  EXPECT_EQ(rig.program(index), "");
  EXPECT_THAT(rig.programs->choices()[index].reason, testing::HasSubstr(kLibrary));
}

}  // namespace
}  // namespace tapio::dns
