// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gnutls/gnutls.h>

#include <chrono>
#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/fd.hpp"
#include "base/result.hpp"
#include "nats_address.hpp"

namespace tapio::nats {

using Deadline = std::chrono::steady_clock::time_point;

// In PEM; "": whom the system trusts, and no certificate of our own.
struct TlsFiles {
  std::string ca;
  std::string certificate;
  std::string key;
};

// A TCP connection, as it is or with TLS in it. Nothing here waits longer than until a deadline,
// but for the look-up of a name, which takes as long as the system's resolver does. Whatever goes
// wrong is `unavailable`, and ends it.
class Link {
 public:
  // Beyond it, addresses of a name are not tried.
  static constexpr std::size_t kMaxAddresses = 8;

  static Result<std::unique_ptr<Link>> open(const Address& address, Deadline deadline);

  // From here on in TLS, 1.2 or newer, with somebody whose certificate is for `host`.
  Status secure(const TlsFiles& files, const std::string& host, Deadline deadline);

  // 0: there is nothing now.
  Result<std::size_t> receive(std::span<char> into);
  // How many bytes it took; 0: none now. What was not taken has to come again, as it was.
  Result<std::size_t> send(std::string_view bytes);
  // Until there is something to receive or, if wanted, room to send. False: not until then.
  Result<bool> wait(bool to_send, Deadline deadline);

 private:
  explicit Link(Fd fd) : fd_(std::move(fd)) {}
  Status prepare(const TlsFiles& files, const std::string& host);
  Status shake_hands(Deadline deadline);

  Fd fd_;
  std::unique_ptr<gnutls_certificate_credentials_st, Freed<gnutls_certificate_free_credentials>>
      credentials_;
  std::unique_ptr<gnutls_session_int, Freed<gnutls_deinit>> session_;  // uses both above
};

}  // namespace tapio::nats
