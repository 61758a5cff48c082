// SPDX-License-Identifier: Apache-2.0
#include "dns_resolved.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <array>

namespace tapio::dns {

namespace {

// Data of another shape than its type is written in another way, and is no address.
std::optional<IpAddress> address_of(const Answer& answer) {
  IpAddress address{.version = static_cast<std::uint8_t>(answer.type == kA ? 4 : 6)};
  const int family = answer.type == kA ? AF_INET : AF_INET6;
  if (::inet_pton(family, answer.data.c_str(), address.bytes.data()) != 1) return {};
  return address;
}

// What is said of names that nobody asked for is not believed.
class Chain {
 public:
  Chain(const Message& answer, std::string_view asked) : answers_(answer.answers), name_(asked) {
    for (std::size_t step = 0; step < answers_.size() && follow(); ++step) {
    }
  }

  // Valid as long as this.
  [[nodiscard]] std::span<const IpAddress> addresses() {
    std::size_t count = 0;
    for (const Answer& answer : answers_) {
      if ((answer.type != kA && answer.type != kAaaa) || !is_same_name(answer.name, name_))
        continue;
      const auto address = address_of(answer);
      if (!address) continue;
      addresses_[count++] = *address;
      ttl_ = std::min(ttl_, answer.ttl);
    }
    return std::span(addresses_).first(count);
  }
  [[nodiscard]] std::chrono::seconds ttl() const { return std::chrono::seconds(ttl_); }

 private:
  bool follow() {
    const auto alias = std::ranges::find_if(answers_, [&](const Answer& answer) {
      return answer.type == kCname && is_same_name(answer.name, name_);
    });
    if (alias == answers_.end()) return false;
    ttl_ = std::min(ttl_, alias->ttl);
    name_ = alias->data;
    return true;
  }

  const std::vector<Answer>& answers_;
  std::array<IpAddress, Message::kMaxAnswers> addresses_;
  std::string_view name_;  // where it leads to so far
  std::uint32_t ttl_ = ~std::uint32_t{0};
};

ProcessId process_of(const Origin& origin, const World& world) {
  const auto* known = world.process(origin.pid);
  return known ? known->id : ProcessId{.pid = origin.pid};
}

}  // namespace

std::optional<NameResolved> resolved(const Lookup& lookup, RecordId evidence, Output& out) {
  if (!lookup.answer || lookup.answer->message.rcode() != kNoError ||
      lookup.answer->message.extent == Extent::malformed)
    return {};
  const Origin& asked = lookup.query.origin;
  if (asked.pid == 0 && asked.cgroup_id == 0) return {};
  Chain chain(lookup.answer->message, lookup.query.message.name);
  const auto addresses = chain.addresses();
  if (addresses.empty()) return {};
  return NameResolved{.time = lookup.concluded,
                      .evidence = evidence,
                      .process = process_of(asked, out.world()),
                      .cgroup_id = asked.cgroup_id,
                      .name = out.arena().keep(lookup.query.message.name),
                      .addresses = out.arena().keep(addresses),
                      .ttl = chain.ttl()};
}

}  // namespace tapio::dns
