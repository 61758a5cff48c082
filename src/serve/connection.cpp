// SPDX-License-Identifier: Apache-2.0
#include "serve/connection.hpp"

#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "serve/gap_json.hpp"
#include "serve/request.hpp"

namespace tapio::serve {

namespace {

bool is_passing(int err) {
  return err == EAGAIN || err == EWOULDBLOCK || err == EINTR;
}

}  // namespace

Connection::Connection(Fd socket, const Limits& limits, MonotonicTime now)
    : socket_(std::move(socket)), limits_(limits), deadline_(now + limits.request_time) {}

// After its request a client has nothing to say: it is not read, and told by POLLHUP when it goes.
short Connection::events() const {
  if (phase_ == Phase::request) return POLLIN;
  return waiting() > 0 ? POLLOUT : 0;
}

std::optional<MonotonicTime> Connection::deadline() const {
  if (phase_ == Phase::stream) return std::nullopt;
  return deadline_;
}

std::optional<std::string> Connection::read_request(MonotonicTime now) {
  std::array<char, kMaxRequestBytes + 1> bytes;
  const ssize_t got = ::recv(socket(), bytes.data(), bytes.size(), MSG_DONTWAIT);
  if (got < 0 && is_passing(errno)) return std::nullopt;
  if (got <= 0) {
    close();
    return std::nullopt;
  }
  in_.append(bytes.data(), static_cast<std::size_t>(got));
  const auto end = in_.find('\n');
  if (std::min(end, in_.size()) > kMaxRequestBytes) {
    answer(error_json({Fault::invalid,
                       fmt::format("the request is longer than {} bytes", kMaxRequestBytes)}),
           now);
    return std::nullopt;
  }
  if (end == std::string::npos) return std::nullopt;
  in_.resize(end);
  return std::move(in_);
}

void Connection::answer(std::string_view json, MonotonicTime now) {
  phase_ = Phase::answer;
  deadline_ = now + limits_.answer_time;
  if (json.size() <= limits_.answer_bytes)
    out_.assign(json);
  else
    out_ = error_json({Fault::exhausted, "the answer is too large; ask for less"});
  out_ += '\n';
  write();
}

void Connection::begin_stream(std::vector<std::string> names) {
  phase_ = Phase::stream;
  names_ = std::move(names);
}

bool Connection::wants(const Schema& schema) const {
  if (!streams()) return false;
  return names_.empty() || schema.kind == Kind::gap ||
         std::ranges::find(names_, schema.name) != names_.end();
}

void Connection::add_line(std::string_view line, std::chrono::nanoseconds time) {
  if (!streams()) return;
  if (waiting() + line.size() >= limits_.stream_bytes) write();
  if (closed()) return;
  if (!add_gaps() || waiting() + line.size() >= limits_.stream_bytes) {
    slow_.add(time);
    ++dropped_;
    return;
  }
  out_.append(line) += '\n';
  ++lines_;
}

void Connection::add_missing(const Missing& missing) {
  if (!streams()) return;
  backlog_.add(missing);
  dropped_ += missing.count;
  add_gaps();
}

// False while something is missing and cannot be told yet. Waits for half of the room, or a client
// that reads in small sips would get a gap line for each line.
bool Connection::add_gaps() {
  if (slow_.count == 0 && backlog_.count == 0) return true;
  if (waiting() > limits_.stream_bytes / 2) return false;
  const auto tell = [this](Missing& missing, std::string_view reason) {
    if (missing.count == 0) return;
    append_gap_json(out_, std::exchange(missing, {}), reason);
    out_ += '\n';
  };
  tell(slow_, "slow_reader");
  tell(backlog_, "queue_full");
  return true;
}

void Connection::write() {
  while (!closed()) {
    if (waiting() == 0) break;
    const ssize_t sent =
        ::send(socket(), out_.data() + written_, waiting(), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0 && is_passing(errno)) break;
    if (sent < 0) return close();
    written_ += static_cast<std::size_t>(sent);
    if (streams()) add_gaps();
  }
  compact();
  if (phase_ == Phase::answer && waiting() == 0) close();
}

// Moves each byte once or so, however slowly they are read.
void Connection::compact() {
  if (written_ < out_.size() / 2) return;
  out_.erase(0, written_);
  written_ = 0;
}

}  // namespace tapio::serve
