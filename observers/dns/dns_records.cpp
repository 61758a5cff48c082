// SPDX-License-Identifier: Apache-2.0
#include "dns_records.hpp"

#include <fmt/compile.h>
#include <fmt/format.h>

#include <algorithm>

#include "dns_schemas.hpp"

namespace tapio::dns {

namespace {

using Texts = std::span<const std::string_view>;

Texts addresses(const Message& message, Arena& arena) {
  const auto is_address = [](const Answer& answer) {
    return answer.type == kA || answer.type == kAaaa;
  };
  const auto count = std::ranges::count_if(message.answers, is_address);
  const auto list = arena.list(static_cast<std::size_t>(count));
  auto at = list.begin();
  for (const Answer& answer : message.answers)
    if (is_address(answer)) *at++ = arena.keep(answer.data);
  return list;
}

Texts records(const Message& message, Arena& arena) {
  const auto list = arena.list(message.answers.size());
  fmt::memory_buffer text;
  std::ranges::transform(message.answers, list.begin(), [&](const Answer& answer) {
    text.clear();
    fmt::format_to(std::back_inserter(text), FMT_COMPILE("{} {} {} {}"), answer.name, answer.ttl,
                   type_name(answer.type), answer.data);
    return arena.keep(std::string_view(text.data(), text.size()));
  });
  return list;
}

Value ttl(const Message& message) {
  const auto least = std::ranges::min_element(message.answers, {}, &Answer::ttl);
  if (least != message.answers.end())
    return std::chrono::nanoseconds(std::chrono::seconds(least->ttl));
  if (message.negative_ttl)
    return std::chrono::nanoseconds(std::chrono::seconds(*message.negative_ttl));
  return {};
}

// Who asked, and when it was over. Of a server here: who answered.
Origin origin_of(const Lookup& lookup) {
  Origin origin = lookup.query.origin;
  if (lookup.role == Role::server && lookup.answer) origin = lookup.answer->origin;
  origin.time = lookup.concluded;
  if (lookup.answer) origin.event_class = lookup.answer->origin.event_class;
  return origin;
}

}  // namespace

std::string_view name(Extent extent) {
  switch (extent) {
    case Extent::whole:
      return "whole";
    case Extent::cut:
      return "cut";
    case Extent::malformed:
      return "malformed";
  }
  return "whole";
}

// Each lookup has it made more than once.
std::string server_text(const Datagram& query) {
  const auto& [address, port] = query.server;
  if (query.ip_version == 4)
    return fmt::format(FMT_COMPILE("{}.{}.{}.{}:{}"), address[0], address[1], address[2],
                       address[3], port);
  return fmt::format(FMT_COMPILE("[{}]:{}"), address_text(query.server, 6), port);
}

Record record_of(const Lookup& lookup, Arena& arena) {
  const Datagram& query = lookup.query;
  const Message& asked = query.message;
  const Message* answer = lookup.answer ? &lookup.answer->message : nullptr;
  const auto kept = [&](const std::string& text) { return Value{arena.keep(text)}; };
  const auto known = [&](const auto& value) { return answer ? Value{value()} : Value{}; };
  return kQuery(
      origin_of(lookup), kept(asked.name), kept(type_name(asked.type)),
      kept(class_name(asked.rr_class)), name(lookup.outcome),
      known([&] { return arena.keep(rcode_name(answer->rcode())); }),
      known([&] { return lookup.duration(); }), known([&] { return addresses(*answer, arena); }),
      known([&] { return records(*answer, arena); }),
      known([&] { return std::uint64_t{answer->head.answers}; }), answer ? ttl(*answer) : Value{},
      known([&] { return texts(flag_names(answer->head.flags), arena); }),
      kept(address_text(query.server, query.ip_version)), query.server.port,
      kept(address_text(query.client, query.ip_version)), query.client.port, name(query.transport),
      std::string_view(query.ip_version == 4 ? "ipv4" : "ipv6"),
      query.interface.empty() ? Value{} : kept(query.interface), name(lookup.role), lookup.attempt,
      asked.head.id, query.size, known([&] { return std::uint64_t{lookup.answer->size}; }),
      asked.edns ? Value{std::uint64_t{asked.edns->udp_size}} : Value{},
      name(answer ? answer->extent : asked.extent),
      lookup.stray ? kept(address_text(*lookup.stray, query.ip_version)) : Value{},
      lookup.search_index ? Value{std::uint64_t{*lookup.search_index}} : Value{});
}

}  // namespace tapio::dns
