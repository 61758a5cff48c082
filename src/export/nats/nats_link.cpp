// SPDX-License-Identifier: Apache-2.0
#include "nats_link.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <vector>

#include "base/small_file.hpp"

namespace tapio::nats {

namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr const char* kTls = "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2";

std::unexpected<Error> broken(std::string_view why) {
  return fail(Fault::unavailable, std::string(why));
}

std::unexpected<Error> broken(std::string_view doing, int err) {
  return fail(Fault::unavailable, fmt::format("{}: {}", doing, std::strerror(err)));
}

std::unexpected<Error> broken_tls(int code) {
  return fail(Fault::unavailable, fmt::format("TLS: {}", gnutls_strerror(code)));
}

// False: not until the deadline.
Result<bool> wait_for(int fd, short events, Deadline deadline) {
  pollfd waited{.fd = fd, .events = events, .revents = 0};
  for (;;) {
    const auto left = std::chrono::ceil<milliseconds>(deadline - steady_clock::now()).count();
    const int ready =
        ::poll(&waited, 1, static_cast<int>(std::clamp<std::int64_t>(left, 0, 60'000)));
    if (ready > 0) return true;
    if (ready < 0 && errno != EINTR) return broken("poll", errno);
    if (left <= 0) return false;
  }
}

using Found = std::unique_ptr<addrinfo, Freed<::freeaddrinfo>>;

Result<Found> look_up(const Address& address) {
  const addrinfo hints{.ai_flags = AI_ADDRCONFIG | AI_NUMERICSERV, .ai_socktype = SOCK_STREAM};
  addrinfo* list = nullptr;
  const int code = ::getaddrinfo(address.host.c_str(), address.port.c_str(), &hints, &list);
  if (code != 0) return broken(::gai_strerror(code));
  return Found(list);
}

Result<Fd> connect_to(const addrinfo& where, Deadline deadline) {
  Fd fd(::socket(where.ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd) return broken("socket", errno);
  if (::connect(fd.get(), where.ai_addr, where.ai_addrlen) != 0 && errno != EINPROGRESS)
    return broken("connect", errno);
  if (!TRY(wait_for(fd.get(), POLLOUT, deadline))) return broken("no answer");
  int err = 0;
  socklen_t size = sizeof err;
  if (::getsockopt(fd.get(), SOL_SOCKET, SO_ERROR, &err, &size) != 0) err = errno;
  if (err != 0) return broken("connect", err);
  const int on = 1;  // an optimization, and so is its failure
  (void)::setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  return fd;
}

bool is_a_number(const std::string& host) {
  in6_addr address{};
  return ::inet_pton(AF_INET, host.c_str(), &address) == 1 ||
         ::inet_pton(AF_INET6, host.c_str(), &address) == 1;
}

gnutls_datum_t datum(std::string& text) {
  return {.data = static_cast<unsigned char*>(static_cast<void*>(text.data())),
          .size = static_cast<unsigned>(text.size())};
}

Status trust(gnutls_certificate_credentials_t credentials, const std::string& ca) {
  if (ca.empty()) {
    if (gnutls_certificate_set_x509_system_trust(credentials) > 0) return {};
    return broken("the system trusts no certificates; give tls.ca");
  }
  std::string text = TRY(read_small_file(ca, Secrecy::open));
  const auto pem = datum(text);
  if (gnutls_certificate_set_x509_trust_mem(credentials, &pem, GNUTLS_X509_FMT_PEM) > 0) return {};
  return broken(ca + " has no certificate in PEM");
}

Status identify(gnutls_certificate_credentials_t credentials, const TlsFiles& files) {
  if (files.certificate.empty()) return {};
  std::string certificate = TRY(read_small_file(files.certificate, Secrecy::open));
  std::string key = TRY(read_small_file(files.key, Secrecy::secret));
  const auto pem = datum(certificate), key_pem = datum(key);
  const int code =
      gnutls_certificate_set_x509_key_mem(credentials, &pem, &key_pem, GNUTLS_X509_FMT_PEM);
  if (code >= 0) return {};
  return broken(fmt::format("{} and {}: {}", files.certificate, files.key, gnutls_strerror(code)));
}

// Why the certificate of the other side is refused.
std::string refusal(gnutls_session_t session) {
  gnutls_datum_t text{};
  const unsigned status = gnutls_session_get_verify_cert_status(session);
  if (gnutls_certificate_verification_status_print(status, GNUTLS_CRT_X509, &text, 0) != 0)
    return "it is not trusted";
  std::string why(static_cast<const char*>(static_cast<const void*>(text.data)));
  gnutls_free(text.data);
  while (why.ends_with(' ')) why.pop_back();
  return why;
}

}  // namespace

Result<std::unique_ptr<Link>> Link::open(const Address& address, Deadline deadline) {
  const auto found = TRY(look_up(address));
  std::vector<const addrinfo*> all;
  for (const auto* one = found.get(); one && all.size() < kMaxAddresses; one = one->ai_next)
    all.push_back(one);
  Error last{Fault::unavailable, "the name has no address"};
  for (std::size_t i = 0; i < all.size(); ++i) {
    const auto now = steady_clock::now();
    auto fd = connect_to(*all[i], now + (deadline - now) / static_cast<int>(all.size() - i));
    if (fd) return std::unique_ptr<Link>(new Link(std::move(*fd)));
    last = std::move(fd.error());
  }
  return std::unexpected(std::move(last));
}

Status Link::secure(const TlsFiles& files, const std::string& host, Deadline deadline) {
  TRY(prepare(files, host));
  return shake_hands(deadline);
}

Status Link::prepare(const TlsFiles& files, const std::string& host) {
  gnutls_certificate_credentials_t credentials = nullptr;
  if (const int code = gnutls_certificate_allocate_credentials(&credentials); code != 0)
    return broken_tls(code);
  credentials_.reset(credentials);
  TRY(trust(credentials, files.ca));
  TRY(identify(credentials, files));
  gnutls_session_t session = nullptr;
  constexpr unsigned kFlags = GNUTLS_CLIENT | GNUTLS_NONBLOCK | GNUTLS_NO_SIGNAL;
  if (const int code = gnutls_init(&session, kFlags); code != 0) return broken_tls(code);
  session_.reset(session);
  int code = gnutls_priority_set_direct(session, kTls, nullptr);
  if (code == 0) code = gnutls_credentials_set(session, GNUTLS_CRD_CERTIFICATE, credentials);
  if (code == 0 && !is_a_number(host))
    code = gnutls_server_name_set(session, GNUTLS_NAME_DNS, host.data(), host.size());
  if (code != 0) return broken_tls(code);
  gnutls_session_set_verify_cert(session, host.c_str(), 0);
  gnutls_transport_set_int(session, fd_.get());
  return {};
}

Status Link::shake_hands(Deadline deadline) {
  for (;;) {
    const int code = gnutls_handshake(session_.get());
    if (code == GNUTLS_E_SUCCESS) return {};
    if (code == GNUTLS_E_CERTIFICATE_VERIFICATION_ERROR)
      return broken("the server's certificate is refused: " + refusal(session_.get()));
    if (gnutls_error_is_fatal(code)) return broken_tls(code);
    const short events = gnutls_record_get_direction(session_.get()) == 0 ? POLLIN : POLLOUT;
    if (!TRY(wait_for(fd_.get(), events, deadline))) return broken("TLS: no answer");
  }
}

Result<std::size_t> Link::receive(std::span<char> into) {
  const ssize_t got = session_ ? gnutls_record_recv(session_.get(), into.data(), into.size())
                               : ::recv(fd_.get(), into.data(), into.size(), 0);
  if (got > 0) return static_cast<std::size_t>(got);
  if (got == 0) return broken("the server has closed the connection");
  if (session_ && gnutls_error_is_fatal(static_cast<int>(got)) == 0) return 0;
  if (session_) return broken_tls(static_cast<int>(got));
  if (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR) return 0;
  return broken("receive", errno);
}

Result<std::size_t> Link::send(std::string_view bytes) {
  const ssize_t sent = session_ ? gnutls_record_send(session_.get(), bytes.data(), bytes.size())
                                : ::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
  if (sent >= 0) return static_cast<std::size_t>(sent);
  if (session_ && gnutls_error_is_fatal(static_cast<int>(sent)) == 0) return 0;
  if (session_) return broken_tls(static_cast<int>(sent));
  if (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR) return 0;
  return broken("send", errno);
}

Result<bool> Link::wait(bool to_send, Deadline deadline) {
  if (session_ && gnutls_record_check_pending(session_.get()) > 0) return true;
  return wait_for(fd_.get(), static_cast<short>(to_send ? POLLIN | POLLOUT : POLLIN), deadline);
}

}  // namespace tapio::nats
