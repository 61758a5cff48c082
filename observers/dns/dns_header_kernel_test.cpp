// SPDX-License-Identifier: Apache-2.0
// The parser is one source for programs and user space (ADR 26): both must say the same of the same
// bytes.
#include <random>

#include "dns.abi.h"
#include "dns_config.hpp"
#include "dns_loopback.hpp"
#include "dns_wire.abi.h"
#include "rig.hpp"

namespace tapio::dns {

extern const Descriptor descriptor;

namespace {

constexpr std::uint16_t kMessages = 1'000;

struct Sent {
  std::string bytes;
  bool from_server;
};

std::uint16_t flags_of(const std::string& message) {
  std::array<std::uint8_t, TAPIO_DNS_HEADER_BYTES> head{};
  std::memcpy(head.data(), message.data(), head.size());
  return tapio_dns_read_header(head.data()).flags;
}

// Any bytes, the same each time. The first two are their number.
std::vector<Sent> messages() {
  std::mt19937 random(7);  // NOLINT(cert-msc51-cpp,cert-msc32-c): a test can be run again
  std::vector<Sent> list;
  for (std::uint16_t id = 0; id < kMessages; ++id) {
    std::string bytes(TAPIO_DNS_HEADER_BYTES + random() % 100, '\0');
    for (char& byte : bytes) byte = static_cast<char>(random());
    bytes[0] = static_cast<char>(id >> 8);
    bytes[1] = static_cast<char>(id);
    list.push_back({.bytes = bytes, .from_server = random() % 2 == 0});
  }
  return list;
}

int send_all() {
  if (!enter_own_network()) return 1;
  Udp server("127.0.0.1", own_port()), client("127.0.0.1", 0);
  if (!client.send("to be known", "127.0.0.1", own_port()) || !server.receive()) return 2;
  for (const auto& [bytes, from_server] : messages()) {
    const bool arrived = from_server
                             ? server.answer(bytes) && client.receive()
                             : client.send(bytes, "127.0.0.1", own_port()) && server.receive();
    if (!arrived) return 3;
  }
  return 0;
}

struct Told {
  std::uint8_t event_class;
  std::string bytes;
};
std::vector<Told> told;  // by programs

// Stands where the observer does, and looks at samples.
class Tap final : public Observer {
 public:
  Status on_sample(const wire::Sample& sample, Output&) override {
    tapio_dns_datagram e{};
    if (sample.header.kind != TAPIO_DNS_DATAGRAM || sample.bytes.size() < sizeof e) return {};
    std::memcpy(&e, sample.bytes.data(), sizeof e);
    if (e.source_port != own_port() && e.destination_port != own_port()) return {};
    std::string bytes(e.message.size, '\0');
    std::memcpy(bytes.data(), sample.bytes.subspan(e.message.offset).data(), bytes.size());
    told.push_back({.event_class = sample.header.event_class, .bytes = std::move(bytes)});
    return {};
  }
};

Result<std::unique_ptr<Observer>> start_tap(const Start& start) {
  TRY(descriptor.start(start));
  return std::make_unique<Tap>();
}

class DnsHeaderOnKernel : public OnEveryPath {};
INSTANTIATE_TEST_SUITE_P(Paths, DnsHeaderOnKernel, kEveryPath, path_name);

TEST_P(DnsHeaderOnKernel, programs_say_of_a_message_what_user_space_says) {
  auto section = config::section<Config>();
  section->as<Config>().ports = {own_port()};
  section->as<Config>().packets_per_second = 0;
  section->as<Config>().ring = ByteSize{4 << 20};
  Descriptor tapped = descriptor;
  tapped.start = start_tap;
  Rig rig(tapped, *section, {.self_tgid = 1});
  ASSERT_EQ(wait_for(child(send_all)), 0);
  told.clear();
  rig.drain();

  std::vector<std::string> expected;
  for (const auto& [bytes, from_server] : messages())
    if (((flags_of(bytes) & TAPIO_DNS_QR) != 0) == from_server) expected.push_back(bytes);
  ASSERT_GT(expected.size(), kMessages / 4);
  ASSERT_EQ(told.size(), expected.size());
  for (std::size_t i = 0; i < told.size(); ++i) {
    ASSERT_EQ(told[i].bytes, expected[i]);
    EXPECT_EQ(told[i].event_class,
              tapio_dns_is_ordinary(flags_of(expected[i])) ? TAPIO_BULK : TAPIO_NORMAL)
        << i;
  }
}

}  // namespace
}  // namespace tapio::dns
