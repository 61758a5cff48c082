// SPDX-License-Identifier: Apache-2.0
#include "serve/event_stream.hpp"

#include <algorithm>
#include <utility>

#include "record/record_id.hpp"
#include "serve/gap_json.hpp"

namespace tapio::serve {

namespace {

// Browsers come back after this, and say what they had last.
constexpr std::string_view kGreeting = "retry: 2000\n\n";
constexpr std::string_view kReset =
    "event: reset\ndata: {\"reason\":\"that record is not kept any more\"}\n\n";

}  // namespace

EventStream::EventStream(const Recent& recent, Query filter, const std::optional<std::string>& last)
    : recent_(recent), filter_(std::move(filter)), next_(recent.end()), out_(kGreeting) {
  if (!last) return;
  const auto id = parse_record_id(*last);
  const auto found = id ? recent.find(*id) : std::nullopt;
  next_ = found ? *found + 1 : recent.begin();
  if (!found) out_ += kReset;
}

// Gaps concern everybody, as in the streams of the local socket.
bool EventStream::wants(const Schema& schema) const {
  return schema.kind == Kind::gap || filter_.wants(schema);
}

std::size_t EventStream::read(std::span<char> out) {
  if (read_ == out_.size()) refill();
  const std::size_t bytes = std::min(out.size(), out_.size() - read_);
  std::copy_n(out_.data() + read_, bytes, out.data());
  read_ += bytes;
  return bytes;
}

bool EventStream::has_more() const {
  return read_ < out_.size() || next_ < recent_.end() || slow_.count > 0 || backlog_.count > 0;
}

void EventStream::beat() {
  if (!has_more()) out_ = ":\n\n", read_ = 0;
}

// What the backlog dropped is newer than the lines, what was forgotten is older.
void EventStream::refill() {
  out_.clear();
  read_ = 0;
  append_gap(slow_, "slow_reader");
  for (; next_ < recent_.end() && out_.size() < kBlockBytes; ++next_)
    if (const Line& line = recent_.at(next_); wants(*line.schema)) append(line);
  if (next_ == recent_.end()) append_gap(backlog_, "queue_full");
}

void EventStream::append(const Line& line) {
  out_.append("id: ").append(line.id.text()).append("\ndata: ").append(line.json) += "\n\n";
  ++lines_;
}

void EventStream::append_gap(Missing& missing, std::string_view reason) {
  if (missing.count == 0) return;
  append_gap_json(out_ += "data: ", std::exchange(missing, {}), reason);
  out_ += "\n\n";
}

void EventStream::forget(std::uint64_t number, const Line& line) {
  if (number < next_) return;
  next_ = number + 1;
  if (!wants(*line.schema)) return;
  slow_.add(line.time);
  ++dropped_;
}

void EventStream::miss(const Schema& schema, const Missing& missing) {
  if (!wants(schema)) return;
  backlog_.add(missing);
  dropped_ += missing.count;
}

}  // namespace tapio::serve
