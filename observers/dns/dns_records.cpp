// SPDX-License-Identifier: Apache-2.0
#include "dns_records.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "dns_schemas.hpp"

namespace tapio::dns {

namespace {

using Texts = std::span<const std::string_view>;

Texts addresses(const Message& message, Arena& arena) {
  std::vector<std::string_view> list;
  for (const Answer& answer : message.answers)
    if (answer.type == kA || answer.type == kAaaa) list.push_back(answer.data);
  return texts(list, arena);
}

Texts records(const Message& message, Arena& arena) {
  std::vector<std::string> list;
  for (const Answer& answer : message.answers)
    list.push_back(
        fmt::format("{} {} {} {}", answer.name, answer.ttl, type_name(answer.type), answer.data));
  return texts(list, arena);
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

std::string server_text(const Datagram& query) {
  const auto address = address_text(query.server, query.ip_version);
  return query.ip_version == 6 ? fmt::format("[{}]:{}", address, query.server.port)
                               : fmt::format("{}:{}", address, query.server.port);
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
