// SPDX-License-Identifier: Apache-2.0
#include <cstdint>
#include <cstdlib>

#include "serve/fake_http.hpp"

namespace {

using namespace tapio;
using namespace tapio::serve;

std::unique_ptr<HttpServer> start(HttpApi& agent) {
  HttpConfig config;
  config.enabled = true;
  config.listen = "127.0.0.1:0";
  config.request_time = std::chrono::milliseconds(100);
  config.answer_time = std::chrono::milliseconds(100);
  auto opened = HttpServer::open(config, agent);
  if (!opened) std::abort();
  return std::move(*opened);
}

constexpr std::string_view kLast =
    "GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
// What is kept of a stream has no end; so much of an answer is enough.
constexpr std::string_view kGoodBye = "retry: 2000";

}  // namespace

// Any bytes, from somebody who connects: the server answers in HTTP or not at all, and then answers
// the next one as ever.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static FakeAgent agent;
  static const auto server = start(agent);
  // What ends most requests that have not ended: waiting for the server to give up would take
  // longer.
  const std::string bytes = std::string(data, data + size) + "\r\n\r\n" + std::string(kLast);
  const std::string said = Caller(server->address()).say(bytes).finish().hear(kGoodBye);
  if (said.ends_with("<nothing came>") || (!said.empty() && !said.starts_with("HTTP/1.1 ")))
    std::abort();
  const std::string after = Caller(server->address()).say(kLast).hear();
  if (!after.starts_with("HTTP/1.1 200 ")) std::abort();
  return 0;
}
