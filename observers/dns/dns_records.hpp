// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>

#include "dns_exchanges.hpp"
#include "observer.hpp"

namespace tapio::dns {

// A lookup as consumers get it.
[[nodiscard]] Record record_of(const Lookup& lookup, Arena& arena);

// Texts as records have them.
[[nodiscard]] std::span<const std::string_view> texts(const auto& list, Arena& arena) {
  const auto kept = arena.list(list.size());
  std::ranges::transform(list, kept.begin(),
                         [&](const auto& each) { return arena.keep(std::string_view(each)); });
  return kept;
}
[[nodiscard]] std::string_view name(Extent extent);

// "192.0.2.53:53", "[2001:db8::53]:53".
[[nodiscard]] std::string server_text(const Datagram& query);

}  // namespace tapio::dns
