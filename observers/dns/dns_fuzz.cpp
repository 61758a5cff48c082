// SPDX-License-Identifier: Apache-2.0
#include <cstring>
#include <span>
#include <vector>

#include "collected.hpp"
#include "dns.abi.h"
#include "dns_library.abi.h"
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

// So is the name of an address, and a message has no more addresses than are kept of it.
void read_all(const tapio::NameResolved& fact) {
  if (!is_printable(fact.name)) std::abort();
  if (fact.addresses.empty() || fact.addresses.size() > tapio::dns::Message::kMaxAnswers)
    std::abort();
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

// A call of the library that these bytes name.
std::vector<std::byte> call_sample(const std::uint8_t* data, std::size_t size) {
  const auto kept = static_cast<std::uint16_t>(std::min<std::size_t>(size, 255));
  const tapio_dns_library e{.header = {.time_ns = 3,
                                       .tgid = 100,
                                       .size = static_cast<std::uint16_t>(sizeof e + kept),
                                       .kind = TAPIO_DNS_LIBRARY,
                                       .version = TAPIO_DNS_LIBRARY_VERSION},
                            .began_ns = 1,
                            .result = size == 0 ? 0 : data[0],
                            .name = {.offset = sizeof e, .size = kept}};
  std::vector<std::byte> bytes(sizeof e + kept);
  std::memcpy(bytes.data(), &e, sizeof e);
  if (kept != 0) std::memcpy(bytes.data() + sizeof e, data, kept);
  return bytes;
}

// A segment of TCP with these bytes, at this place of the stream.
std::vector<std::byte> segment(std::span<const std::uint8_t> payload, bool is_answer,
                               std::uint32_t sequence, std::uint32_t size) {
  tapio_dns_segment e{
      .header = {.time_ns = sequence,
                 .tgid = 100,
                 .size = static_cast<std::uint16_t>(sizeof e + payload.size()),
                 .kind = TAPIO_DNS_SEGMENT,
                 .version = TAPIO_DNS_SEGMENT_VERSION},
      .source_port = static_cast<__u16>(is_answer ? 53 : 4000),
      .destination_port = static_cast<__u16>(is_answer ? 4000 : 53),
      .ip_version = 4,
      .direction = static_cast<__u8>(is_answer ? TAPIO_DNS_RECEIVED : TAPIO_DNS_SENT),
      .is_sender = 1,
      .sequence = sequence,
      .interface = "eth0",
      .payload = {
          .offset = sizeof e, .size = static_cast<__u16>(payload.size()), .original = size}};
  std::vector<std::byte> bytes(sizeof e + payload.size());
  std::memcpy(bytes.data(), &e, sizeof e);
  if (!payload.empty()) std::memcpy(bytes.data() + sizeof e, payload.data(), payload.size());
  return bytes;
}

// What a client says first to a server of encrypted DNS. Both kinds have one layout.
std::vector<std::byte> greeting(const std::uint8_t* data, std::size_t size, std::uint16_t kind) {
  auto bytes = sample(data, size, false);
  tapio_dns_datagram e;
  std::memcpy(&e, bytes.data(), sizeof e);
  e.header.kind = kind;
  e.destination_port = 853;
  std::memcpy(bytes.data(), &e, sizeof e);
  return bytes;
}

void feed(tapio::dns::DnsObserver& observer, const std::vector<std::byte>& bytes,
          tapio::Output& out) {
  const auto opened = tapio::wire::open_sample(bytes);
  if (!opened) std::abort();
  (void)observer.on_sample(*opened, out);
}

// The input as what two ends of a connection send: a byte that says how, a byte that says how much,
// and so many bytes; in order, again, too early, or with some that are missing.
void feed_streams(tapio::dns::DnsObserver& observer, std::span<const std::uint8_t> input,
                  tapio::Output& out) {
  enum How : std::uint8_t { in_order, again, early, cut };
  std::uint32_t next[2] = {0xffffff00u, 1};
  while (input.size() > 2) {
    const bool is_answer = (input[0] & 1) != 0;
    const auto how = static_cast<How>(input[0] >> 1 & 3);
    const auto length = std::min<std::size_t>(input[1], input.size() - 2);
    const auto payload = input.subspan(2, length);
    input = input.subspan(2 + length);
    std::uint32_t& at = next[is_answer];
    const std::uint32_t size = static_cast<std::uint32_t>(length) * (how == cut ? 3 : 1);
    const std::uint32_t place = how == again ? at - size / 2 : how == early ? at + 7 : at;
    feed(observer, segment(payload, is_answer, place, size), out);
    if (how != early) at = place + size;
  }
}

// Gives these bytes for whatever it is asked, as a recording may.
class Says final : public tapio::Outside {
 public:
  explicit Says(std::string answer) : answer_(std::move(answer)) {}
  std::string ask(std::string_view, const Look&) override { return answer_; }

 private:
  std::string answer_;
};

}  // namespace

// The input as a query and as the answer to it, as a connection, and as what a recording says that
// the kernel counted. Whatever is in it, it is refused, or becomes a record whose texts can be
// shown to people.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tapio;
  Says says(std::string(data, data + size));
  const dns::Config config;
  dns::DnsObserver observer(config, dns::TcpSight::unseen,
                            dns::Latencies({}, says, config.health_interval));
  Collected out;
  for (const bool is_answer : {false, true}) feed(observer, sample(data, size, is_answer), out);
  feed_streams(observer, {data, size}, out);
  feed(observer, call_sample(data, size), out);
  for (const std::uint16_t kind : {TAPIO_DNS_HELLO, TAPIO_DNS_INITIAL})
    feed(observer, greeting(data, size, kind), out);
  for (const int hour : {1, 2}) observer.on_tick(std::chrono::hours(hour), out);
  for (const Record& record : out.records) read_all(record);
  for (const Fact& fact : out.facts) read_all(std::get<NameResolved>(fact));
  return 0;
}
