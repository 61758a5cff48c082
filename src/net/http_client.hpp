// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace tapio::net {

struct HttpOptions {
  std::chrono::milliseconds connect_time{2'000};
  std::chrono::milliseconds time{10'000};  // for all of it, the connection included; 0: no end
  std::size_t max_answer_bytes = 64 << 10;
  // Files in PEM. "": whom this system trusts; no certificate of our own.
  std::string tls_ca;
  std::string tls_certificate;
  std::string tls_key;
  // A path: a socket of this machine is asked, and the URL's host is a mere name. "": TCP.
  std::string unix_socket;
  // Without TLS, by prior knowledge; each request has a connection of its own, for libcurl 7.88
  // fails on the second one.
  bool http2 = false;
};

struct HttpRequest {
  std::string url;                   // http or https
  std::vector<std::string> headers;  // "Content-Type: text/plain"
  std::string_view body;
};

struct HttpAnswer {
  unsigned status = 0;  // RFC 9110, 15
  std::string body;     // as far as max_answer_bytes
  std::optional<std::chrono::seconds> retry_after;
};

// Hears an answer while it comes, in any pieces. False: it is enough, hang up.
class HttpHearer {
 public:
  virtual ~HttpHearer() = default;
  // A line of the headers, or of the trailers behind the body, without its end.
  virtual bool on_header(std::string_view line) = 0;
  virtual bool on_body(std::string_view bytes) = 0;
};

// Asks servers over HTTP, with libcurl. Keeps connections open from one request to the next,
// follows no redirections, always checks certificates (TLS 1.2 or newer). One thread uses it.
class HttpClient {
 public:
  static Result<HttpClient> make(HttpOptions options);

  // Any status is an answer. unavailable: there was none, in time or at all; or a stop was asked
  // for. denied: the socket is not ours to ask.
  [[nodiscard]] Result<HttpAnswer> post(const HttpRequest& request, const std::stop_token& stop);
  // Without the body.
  [[nodiscard]] Result<HttpAnswer> get(const HttpRequest& request, const std::stop_token& stop);
  // The status, when all was heard. unavailable also when the hearer had enough.
  [[nodiscard]] Result<unsigned> post(const HttpRequest& request, HttpHearer& hearer,
                                      const std::stop_token& stop);
  [[nodiscard]] Result<unsigned> get(const HttpRequest& request, HttpHearer& hearer,
                                     const std::stop_token& stop);

  struct Handles;
  struct Free {
    void operator()(Handles* handles) const;
  };

 private:
  HttpClient(HttpOptions options, std::unique_ptr<Handles, Free> handles)
      : options_(std::move(options)), handles_(std::move(handles)) {}
  enum class Method : std::uint8_t { get, post };
  Result<HttpAnswer> collect(Method method, const HttpRequest& request,
                             const std::stop_token& stop);
  Result<unsigned> ask(Method method, const HttpRequest& request, HttpHearer& hearer,
                       const std::stop_token& stop);
  Status set_up(Method method, const HttpRequest& request, HttpHearer& hearer);
  Status perform(const std::stop_token& stop);
  [[nodiscard]] Error failure(int code) const;

  HttpOptions options_;
  std::unique_ptr<Handles, Free> handles_;
};

// nothing: it is one that post() takes. "http://host[:port][/path]", without user and password.
[[nodiscard]] Status check_url(const std::string& url);

}  // namespace tapio::net
