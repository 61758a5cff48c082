// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>

#include "dns_exchanges.hpp"
#include "observer.hpp"

namespace tapio::dns {

// The addresses that a lookup led to; nothing: none.
[[nodiscard]] std::optional<NameResolved> resolved(const Lookup& lookup, RecordId evidence,
                                                   Output& out);

}  // namespace tapio::dns
