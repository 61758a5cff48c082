// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.hpp"

// The JSON that servers send: what they are, and what JetStream answers.
namespace tapio::nats {

struct ServerInfo {
  bool headers = false;  // knows messages with headers, and so message ids
  bool tls_required = false;
  bool tls_available = false;
  std::size_t max_payload = 0;
  std::string nonce;  // to be signed by whoever has a key
};
[[nodiscard]] Result<ServerInfo> parse_info(std::string_view text);

// What JetStream says of a record that was published, or of a request.
struct Answer {
  static constexpr std::int64_t kTooLarge = 10054;     // more than the stream's max_msg_size
  static constexpr std::int64_t kOtherStream = 10058;  // the name is taken

  bool done = false;
  bool duplicate = false;     // the stream had that message id
  std::int64_t error = 0;     // JetStream's number
  std::string description{};  // of the error
};
[[nodiscard]] Result<Answer> parse_answer(std::string_view text);

}  // namespace tapio::nats
