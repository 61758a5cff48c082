// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <stop_token>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "net/http_client.hpp"

namespace tapio::net {

struct GrpcOptions {
  std::string unix_socket;
  std::chrono::milliseconds time{2'000};  // for a call, the connection included; 0: no end
  std::size_t max_message_bytes = 4 << 20;
};

// How a call ended, as the server says it, by the status codes of gRPC.
struct GrpcEnd {
  unsigned status = 0;
  std::string message;  // at most kMaxReason bytes
};
inline constexpr unsigned kGrpcOk = 0, kGrpcUnknown = 2, kGrpcNotFound = 5, kGrpcUnimplemented = 12;

struct GrpcReply {
  GrpcEnd end;
  std::string message;  // of the answer; when the call ended well
};

// The messages of a gRPC answer, out of bytes that come in any pieces: each has a byte that says
// whether it is compressed, four bytes of length, and itself.
class GrpcFrames {
 public:
  // False from it: the caller wants no more.
  using OnMessage = std::function<bool(std::string_view message)>;
  explicit GrpcFrames(std::size_t max_message_bytes) : most_(max_message_bytes) {}

  // invalid: it is compressed, which nobody asked for, or longer than it may be. Of what it holds
  // back, there is never more than one message.
  Status feed(std::string_view bytes, const OnMessage& on_message);
  // Nothing of a message that is not complete.
  [[nodiscard]] bool between_messages() const { return kept_.empty(); }

 private:
  std::size_t most_;
  std::string kept_;
};

// Calls methods of a gRPC server on a unix socket: libcurl's HTTP/2, messages as bytes. No
// compression, no metadata. One thread uses it.
class GrpcClient {
 public:
  static constexpr std::size_t kMaxReason = 512;
  static constexpr std::size_t kMaxHeaderBytes = 16 << 10;

  static Result<GrpcClient> make(GrpcOptions options);

  // `method` is "/package.Service/Method". Any status is a reply. unavailable: nobody answered, or
  // not in time, or a stop was asked for; denied: the socket is not ours to ask; invalid: what
  // answers does not keep to the protocol, or to the bounds.
  [[nodiscard]] Result<GrpcReply> call(std::string_view method, std::string_view message,
                                       const std::stop_token& stop);
  // The same of a method that answers with a stream, one message at a time. When `on_message` wants
  // no more, it is unavailable.
  [[nodiscard]] Result<GrpcEnd> stream(std::string_view method, std::string_view message,
                                       const GrpcFrames::OnMessage& on_message,
                                       const std::stop_token& stop);

 private:
  GrpcClient(GrpcOptions options, HttpClient http)
      : options_(std::move(options)), http_(std::move(http)) {}

  GrpcOptions options_;
  HttpClient http_;
};

}  // namespace tapio::net
