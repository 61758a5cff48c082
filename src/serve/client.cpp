// SPDX-License-Identifier: Apache-2.0
#include "serve/client.hpp"

#include <fmt/format.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>

#include "serve/endpoint.hpp"

namespace tapio::serve {

namespace {

constexpr std::size_t kReadBytes = 64 << 10;

std::unexpected<Error> silent() {
  return fail(Fault::unavailable, "the agent takes too long to answer; try again");
}

// An agent that refuses a client closes at once; what it said is still there to be read, so a
// connection that is gone is no error yet.
Status send_line(int socket, std::string line) {
  line += '\n';
  std::string_view rest = line;
  while (!rest.empty()) {
    const ssize_t sent = ::send(socket, rest.data(), rest.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0 && errno == EAGAIN) return silent();
    if (sent < 0 && (errno == EPIPE || errno == ECONNRESET)) return {};
    if (sent < 0) return from_errno(errno, "ask the agent");
    rest.remove_prefix(static_cast<std::size_t>(sent));
  }
  return {};
}

Result<Fd> begin(const std::string& path, const Request& request) {
  Fd socket = TRY(connect_to(path, static_cast<int>(kAnswerTime.count())));
  TRY(send_line(socket.get(), to_json(request)));
  return socket;
}

Result<std::string> read_all(int socket) {
  std::string all;
  std::string part(kReadBytes, '\0');
  while (true) {
    const ssize_t got = ::recv(socket, part.data(), part.size(), 0);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0 && errno == EAGAIN) return silent();
    if (got < 0 && !(errno == ECONNRESET && !all.empty()))
      return from_errno(errno, "read the agent's answer");
    if (got <= 0) return all;
    all.append(part, 0, static_cast<std::size_t>(got));
    if (all.size() > kMaxAnswerBytes)
      return fail(Fault::exhausted, "the agent's answer is too large; ask for less");
  }
}

}  // namespace

Result<std::string> ask(const std::string& path, const Request& request) {
  const Fd socket = TRY(begin(path, request));
  std::string answer = TRY(read_all(socket.get()));
  if (!answer.ends_with('\n'))
    return fail(Fault::unavailable, "the agent closed the connection; is it stopping?");
  answer.pop_back();
  if (auto error = error_in(answer)) return std::unexpected(std::move(*error));
  return answer;
}

Result<Stream> Stream::open(const std::string& path, const Request& request) {
  return Stream(TRY(begin(path, request)));
}

Result<std::optional<std::string_view>> Stream::next() {
  auto line = take_line();
  if (!line && !closed_) {
    TRY(receive());
    line = take_line();
  }
  if (!line) {
    ended_ = closed_;
    return std::nullopt;
  }
  if (auto error = error_in(*line)) return std::unexpected(std::move(*error));
  return line;
}

std::optional<std::string_view> Stream::take_line() {
  while (true) {
    const auto end = buffer_.find('\n', scanned_);
    if (end == std::string::npos) break;
    const std::size_t from = begin_;
    begin_ = scanned_ = end + 1;
    if (!std::exchange(skipping_, false)) return std::string_view(buffer_).substr(from, end - from);
  }
  buffer_.erase(0, begin_);
  begin_ = 0;
  if (buffer_.size() > kMaxLineBytes) {
    buffer_.clear();
    skipped_ += !skipping_;
    skipping_ = true;
  }
  scanned_ = buffer_.size();
  return std::nullopt;
}

Status Stream::receive() {
  std::array<char, kReadBytes> part;
  const ssize_t got = ::recv(socket(), part.data(), part.size(), MSG_DONTWAIT);
  if (got > 0) buffer_.append(part.data(), static_cast<std::size_t>(got));
  if (got > 0 || (got < 0 && (errno == EAGAIN || errno == EINTR))) return {};
  if (got < 0 && errno != ECONNRESET) return from_errno(errno, "read the agent's stream");
  closed_ = true;
  return {};
}

}  // namespace tapio::serve
