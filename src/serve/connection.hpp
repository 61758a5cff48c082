// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/fd.hpp"
#include "record/record.hpp"
#include "serve/backlog.hpp"

namespace tapio::serve {

struct Limits {
  std::size_t clients = 32;  // at once; more are told so and closed
  std::chrono::milliseconds request_time{5'000};
  std::chrono::milliseconds answer_time{30'000};  // then a client that does not read is closed
  std::size_t answer_bytes = 16 << 20;
  std::size_t stream_bytes = 1 << 20;   // waiting for one client; more is dropped and told
  std::size_t backlog_bytes = 8 << 20;  // waiting for the thread that serves
};

// One client, from its request to the last byte of the answer. One thread uses it; nothing blocks.
class Connection {
 public:
  Connection(Fd socket, const Limits& limits, MonotonicTime now);

  [[nodiscard]] int socket() const { return socket_.get(); }
  [[nodiscard]] short events() const;  // to poll for
  [[nodiscard]] bool closed() const { return phase_ == Phase::closed; }
  [[nodiscard]] bool streams() const { return phase_ == Phase::stream; }
  // Who may change what the agent does, and not only ask.
  [[nodiscard]] bool is_owner() const { return owner_; }
  void admit_owner() { owner_ = true; }
  // When it has to be done with what it does; never for a stream.
  [[nodiscard]] std::optional<MonotonicTime> deadline() const;

  // The request, once its newline is there; a longer one than kMaxRequestBytes is refused.
  [[nodiscard]] std::optional<std::string> read_request(MonotonicTime now);
  // The whole answer, without the newline; then the connection closes.
  void answer(std::string_view json, MonotonicTime now);

  void begin_stream(std::vector<std::string> names);
  [[nodiscard]] bool wants(const Schema& schema) const;
  // A line of the stream, without the newline. One that finds no room becomes part of a gap line,
  // which goes in once half of the room is free again.
  void add_line(std::string_view line, std::chrono::nanoseconds time);
  void add_missing(const Missing& missing);  // lines that did not even get here

  void write();
  void close() { phase_ = Phase::closed; }

  [[nodiscard]] std::uint64_t lines() const { return lines_; }
  [[nodiscard]] std::uint64_t dropped() const { return dropped_; }

 private:
  enum class Phase : std::uint8_t { request, answer, stream, closed };
  [[nodiscard]] std::size_t waiting() const { return out_.size() - written_; }
  bool add_gaps();
  void compact();

  Fd socket_;
  Limits limits_;
  Phase phase_ = Phase::request;
  bool owner_ = false;
  MonotonicTime deadline_;
  std::string in_;
  std::string out_;
  std::size_t written_ = 0;  // of out_
  std::vector<std::string> names_;
  Missing slow_;     // dropped here
  Missing backlog_;  // dropped before
  std::uint64_t lines_ = 0;
  std::uint64_t dropped_ = 0;
};

}  // namespace tapio::serve
