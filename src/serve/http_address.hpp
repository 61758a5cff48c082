// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/socket.h>

#include <string>
#include <string_view>

#include "base/fd.hpp"
#include "base/result.hpp"

namespace tapio::serve {

// An address and port, in numbers: a name could mean something else tomorrow.
struct Address {
  sockaddr_storage storage{};
  socklen_t bytes = 0;
  bool loopback = false;
};

// "127.0.0.1:7170", "[::1]:7170". Port 0: any that is free.
[[nodiscard]] Result<Address> parse_address(std::string_view text);

// A socket that does not block.
[[nodiscard]] Result<Fd> listen_on(const Address& address);

// As parse_address() takes it; "": it has none.
[[nodiscard]] std::string address_of(int socket);

// Whether the header Host names this machine by number, or as localhost. A page in somebody's
// browser can give a name of its own our address, but not have the browser send another Host.
[[nodiscard]] bool is_plain_host(std::string_view host);

}  // namespace tapio::serve
