// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "nats_answers.hpp"
#include "nats_credentials.hpp"
#include "nats_link.hpp"
#include "nats_protocol.hpp"

namespace tapio::nats {

// One connection with one server. One thread uses it, and all that happens on it happens in a call
// of this thread: nothing is sent, received or answered in between. A failed call ends it.
class Connection {
 public:
  struct Options {
    std::string name;  // what the server shows of us
    TlsFiles tls{};
    Login login{};
    std::size_t max_message = Reader::kDefaultPayload;  // that we take
  };
  // A server that does not take what we answer it is given up.
  static constexpr std::size_t kMaxUnsent = 4 << 20;

  // Until we may publish, and get what is published below inbox().
  static Result<std::unique_ptr<Connection>> open(const Address& address, const Options& options,
                                                  Deadline deadline);

  // A subject that is ours alone, without a dot at the end.
  [[nodiscard]] const std::string& inbox() const { return inbox_; }
  // Of a Publication::bytes().
  [[nodiscard]] std::size_t max_payload() const { return info_.max_payload; }

  // Keeps it to be sent by next().
  void publish(const Publication& publication) { append_publication(to_send_, publication); }
  [[nodiscard]] std::size_t unsent() const { return to_send_.size() - sent_; }

  // Sends and receives until a message has come; nullopt: none has by then. It lasts until the next
  // call.
  Result<std::optional<Said>> next(Deadline deadline);

  // What the server refused since it was asked last, if it said so; "": nothing.
  [[nodiscard]] std::string complaint() { return std::exchange(complaint_, {}); }

 private:
  Connection(std::unique_ptr<Link> link, std::size_t max_message)
      : link_(std::move(link)), reader_(max_message) {}
  Status greet(const Address& address, const Options& options, Deadline deadline);
  Result<Said> hear(Deadline deadline);
  Result<std::optional<Said>> said(Deadline deadline);
  Status send_some();
  Status heed(const Said& said);

  std::unique_ptr<Link> link_;
  Reader reader_;
  ServerInfo info_;
  std::string inbox_;
  std::string to_send_;
  std::size_t sent_ = 0;  // of to_send_
  std::string complaint_;
};

}  // namespace tapio::nats
