// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "base/fd.hpp"
#include "base/result.hpp"
#include "serve/request.hpp"

// The other end of the local socket, for the commands.
namespace tapio::serve {

inline constexpr std::chrono::seconds kAnswerTime{10};
inline constexpr std::size_t kMaxAnswerBytes = 32 << 20;
inline constexpr std::size_t kMaxLineBytes = 1 << 20;  // of a stream; longer ones are skipped

// One question, one answer: JSON without the newline. What the agent refused is the error.
[[nodiscard]] Result<std::string> ask(const std::string& path, const Request& request);

class Stream {
 public:
  static Result<Stream> open(const std::string& path, const Request& request);

  // To poll for input, once next() has nothing.
  [[nodiscard]] int socket() const { return socket_.get(); }
  // Takes what has come, without waiting, and returns the next whole line; empty: none yet. The
  // line lasts until the next call. A line that is an error is the error.
  [[nodiscard]] Result<std::optional<std::string_view>> next();
  [[nodiscard]] bool ended() const { return ended_; }  // and every line was returned
  [[nodiscard]] std::uint64_t skipped() const { return skipped_; }

 private:
  explicit Stream(Fd socket) : socket_(std::move(socket)) {}
  std::optional<std::string_view> take_line();
  Status receive();

  Fd socket_;
  std::string buffer_;
  std::size_t begin_ = 0;    // of what was not returned yet
  std::size_t scanned_ = 0;  // no newline before this
  bool skipping_ = false;    // the rest of a line that is too long
  bool closed_ = false;
  bool ended_ = false;
  std::uint64_t skipped_ = 0;
};

}  // namespace tapio::serve
