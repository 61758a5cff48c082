// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include "base/log.hpp"
#include "net/http_client.hpp"
#include "otlp_outbox.hpp"

namespace tapio::otlp {

// Where requests go, and with what.
struct Receiver {
  std::array<std::string, kSignals> urls;
  std::vector<std::string> headers;
};

// What an answer means: OTLP specification 1.5, OTLP/HTTP Response; `why` says what was wrong.
[[nodiscard]] Outcome judge(const net::HttpAnswer& answer, std::string& why);

// Sends what is in the outbox, from a thread of its own, until it is destroyed.
class Sender {
 public:
  Sender(Receiver receiver, net::HttpClient client, Outbox& outbox);

 private:
  void run(const std::stop_token& stop);
  Outcome send(const Request& request, const std::stop_token& stop, std::string& why);
  void tell(Signal signal, const Outcome& outcome, const std::string& why,
            std::chrono::milliseconds wait);

  const Receiver receiver_;
  net::HttpClient client_;
  Outbox& outbox_;
  std::array<bool, kSignals> away_{};  // receivers that were, last time
  std::array<log::Sparingly, kSignals> complaints_;
  std::jthread thread_;
};

}  // namespace tapio::otlp
