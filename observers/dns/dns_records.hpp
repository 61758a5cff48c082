// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "dns_exchanges.hpp"
#include "observer.hpp"

namespace tapio::dns {

// A lookup as consumers get it.
[[nodiscard]] Record record_of(const Lookup& lookup, Arena& arena);

// "192.0.2.53:53", "[2001:db8::53]:53".
[[nodiscard]] std::string server_text(const Datagram& query);

}  // namespace tapio::dns
