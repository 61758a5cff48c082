// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
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
  std::chrono::milliseconds time{10'000};  // for all of it, the connection included
  std::size_t max_answer_bytes = 64 << 10;
  // Files in PEM. "": whom this system trusts; no certificate of our own.
  std::string tls_ca;
  std::string tls_certificate;
  std::string tls_key;
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

// Asks servers over HTTP, with libcurl. Keeps connections open from one request to the next,
// follows no redirections, always checks certificates (TLS 1.2 or newer). One thread uses it.
class HttpClient {
 public:
  static Result<HttpClient> make(HttpOptions options);

  // Any status is an answer. unavailable: there was none, in time or at all; or a stop was asked
  // for.
  [[nodiscard]] Result<HttpAnswer> post(const HttpRequest& request, const std::stop_token& stop);

  struct Handles;
  struct Free {
    void operator()(Handles* handles) const;
  };

 private:
  HttpClient(HttpOptions options, std::unique_ptr<Handles, Free> handles)
      : options_(std::move(options)), handles_(std::move(handles)) {}
  Status set_up(const HttpRequest& request, HttpAnswer& answer);
  Status perform(const std::stop_token& stop);

  HttpOptions options_;
  std::unique_ptr<Handles, Free> handles_;
};

// nothing: it is one that post() takes. "http://host[:port][/path]", without user and password.
[[nodiscard]] Status check_url(const std::string& url);

}  // namespace tapio::net
