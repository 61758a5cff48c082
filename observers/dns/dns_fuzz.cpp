// SPDX-License-Identifier: Apache-2.0
#include <cstring>
#include <vector>

#include "collected.hpp"
#include "dns.abi.h"
#include "dns_observer.hpp"

namespace {

bool is_printable(std::string_view text) {
  for (const char c : text)
    if (c < 0x20 || c > 0x7e) return false;
  return true;
}

// Texts from the network are printable ASCII to their ends.
void read_all(const tapio::Record& record) {
  for (const tapio::Value& value : record.values) {
    if (const auto* text = std::get_if<std::string_view>(&value); text && !is_printable(*text))
      std::abort();
    if (const auto* list = std::get_if<std::span<const std::string_view>>(&value))
      for (const auto item : *list)
        if (!is_printable(item)) std::abort();
  }
}

// A datagram with these bytes as its message.
std::vector<std::byte> sample(const std::uint8_t* data, std::size_t size, bool is_answer) {
  const auto kept =
      static_cast<std::uint16_t>(std::min<std::size_t>(size, TAPIO_DNS_MESSAGE_BYTES));
  tapio_dns_datagram e{
      .header = {.time_ns = is_answer ? 2u : 1u,
                 .tgid = 100,
                 .size = static_cast<std::uint16_t>(sizeof e + kept),
                 .kind = TAPIO_DNS_DATAGRAM,
                 .version = TAPIO_DNS_DATAGRAM_VERSION},
      .ip_version = 4,
      .direction = static_cast<__u8>(is_answer ? TAPIO_DNS_RECEIVED : TAPIO_DNS_SENT),
      .is_sender = 1,
      .interface = "eth0",
      .message = {.offset = sizeof e, .size = kept, .original = static_cast<std::uint32_t>(size)}};
  std::vector<std::byte> bytes(sizeof e + kept);
  std::memcpy(bytes.data(), &e, sizeof e);
  if (kept != 0) std::memcpy(bytes.data() + sizeof e, data, kept);
  if (kept > 2) {
    auto& flags = bytes[sizeof e + 2];
    flags = is_answer ? flags | std::byte{0x80} : flags & std::byte{0x7f};
  }
  return bytes;
}

}  // namespace

// The input as a query, and as the answer to it. Whatever is in it, it is refused, or becomes a
// record whose texts can be shown to people.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tapio;
  dns::DnsObserver observer({});
  Collected out;
  for (const bool is_answer : {false, true}) {
    const auto bytes = sample(data, size, is_answer);
    const auto opened = wire::open_sample(bytes);
    if (!opened) std::abort();
    (void)observer.on_sample(*opened, out);
  }
  observer.on_tick(std::chrono::hours(1), out);
  for (const Record& record : out.records) read_all(record);
  return 0;
}
