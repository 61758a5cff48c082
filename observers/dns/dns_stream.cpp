// SPDX-License-Identifier: Apache-2.0
#include "dns_stream.hpp"

#include <algorithm>
#include <utility>

namespace tapio::dns {

namespace {

constexpr std::size_t kPrefix = 2;
constexpr std::size_t kLeast = TAPIO_DNS_HEADER_BYTES;  // of a message

// How far `b` is behind `a`: numbers go round.
std::int32_t distance(std::uint32_t a, std::uint32_t b) {
  return static_cast<std::int32_t>(b - a);
}

std::uint16_t u16(Bytes bytes) {
  return static_cast<std::uint16_t>(std::to_integer<unsigned>(bytes[0]) << 8 |
                                    std::to_integer<unsigned>(bytes[1]));
}

// Whether a message may begin here, for want of any better sign: a length, and what is in sight of
// a header that has the operation code and the question of nearly all messages.
bool may_begin(Bytes bytes) {
  constexpr std::size_t kFlags = kPrefix + 2, kQuestions = kPrefix + 4;
  constexpr std::uint16_t kMaxOpcode = 6, kMaxQuestions = 1;
  const auto is = [&](std::size_t at, auto fits) {
    return bytes.size() < at + 2 || fits(u16(bytes.subspan(at)));
  };
  return !bytes.empty() && is(0, [](std::uint16_t length) { return length >= kLeast; }) &&
         is(kFlags,
            [](std::uint16_t flags) { return (flags & TAPIO_DNS_OPCODE) >> 11 <= kMaxOpcode; }) &&
         is(kQuestions, [](std::uint16_t questions) { return questions <= kMaxQuestions; });
}

}  // namespace

Result<Segment> segment_of(const wire::Sample& sample) {
  const auto e = TRY(wire::event<tapio_dns_segment>(sample, TAPIO_DNS_SEGMENT_VERSION));
  if (e.ip_version != 4 && e.ip_version != 6) return invalid("dns: neither IPv4 nor IPv6");
  const Bytes bytes = TRY(wire::slice(sample, e.payload.offset, e.payload.size));
  if (e.payload.original < bytes.size() || e.payload.original > 1u << 30)
    return invalid("dns: a segment of an impossible size");
  return Segment{.origin = origin_of(e),
                 .was_sent = e.direction == TAPIO_DNS_SENT,
                 .ip_version = e.ip_version,
                 .source = endpoint(e.source, e.source_port),
                 .destination = endpoint(e.destination, e.destination_port),
                 .network_namespace = e.network_namespace,
                 .interface = interface_of(e),
                 .sequence = e.sequence,
                 .size = e.payload.original,
                 .bytes = {bytes.begin(), bytes.end()}};
}

void Framing::take(Bytes bytes, std::size_t missing, MonotonicTime time, std::vector<Whole>& out) {
  if (!in_step_ && !may_begin(bytes)) return lose(bytes.size() + missing);
  in_step_ = true;
  while (!bytes.empty()) {
    bytes = has_length() ? take_message(bytes) : take_prefix(bytes, time);
    if (!in_step_) return lose(bytes.size() + missing);
    if (has_length() && got_ == message_.size) finish(out);
  }
  if (missing > 0) pass(missing, out);
}

Bytes Framing::take_prefix(Bytes bytes, MonotonicTime time) {
  if (prefix_.empty()) message_.began = time;
  prefix_.push_back(bytes.front());
  if (has_length()) {
    message_.size = u16(prefix_);
    in_step_ = message_.size >= kLeast;
  }
  return bytes.subspan(1);
}

// What is kept is the beginning without a gap.
Bytes Framing::take_message(Bytes bytes) {
  const auto now = bytes.first(std::min<std::size_t>(bytes.size(), message_.size - got_));
  if (message_.kept.size() == got_) {
    const auto room = TAPIO_DNS_MESSAGE_BYTES - message_.kept.size();
    const auto kept = now.first(std::min(now.size(), room));
    message_.kept.insert(message_.kept.end(), kept.begin(), kept.end());
  }
  got_ += now.size();
  return bytes.subspan(now.size());
}

void Framing::finish(std::vector<Whole>& out) {
  out.push_back(std::exchange(message_, {}));
  prefix_.clear();
  got_ = 0;
}

// Missing bytes do no harm inside of a message whose length is known; a length among them does.
void Framing::pass(std::size_t missing, std::vector<Whole>& out) {
  if (!has_length()) return lose(missing);
  const auto inside = std::min<std::size_t>(missing, message_.size - got_);
  got_ += inside;
  if (got_ < message_.size) return;
  finish(out);
  if (missing > inside) lose(missing - inside);
}

void Framing::lose(std::size_t bytes) {
  in_step_ = false;
  skipped_ += bytes + got_ + prefix_.size();
  message_ = {};
  prefix_.clear();
  got_ = 0;
}

Streams::Key Streams::key_of(const Segment& segment) {
  return {segment.source, segment.destination, segment.network_namespace, segment.was_sent};
}

std::vector<Datagram> Streams::take(Segment segment) {
  counts_.segments++;
  std::vector<Datagram> out;
  if (segment.size == 0) return out;
  Stream& stream = stream_of(segment);
  const auto ahead = distance(stream.next, segment.sequence);
  if (ahead > 0) {
    counts_.early++;
    keep(stream, std::move(segment));
    if (stream.ahead.size() > kMaxAhead || waiting_ > kMaxWaiting) pass_gap(stream, out);
    return out;
  }
  feed(stream, segment, out);
  feed_ahead(stream, out);
  return out;
}

// Known, or made: then it begins with this segment.
Streams::Stream& Streams::stream_of(const Segment& segment) {
  const Key key = key_of(segment);
  if (const auto known = by_key_.find(key); known != by_key_.end()) {
    Stream& stream = *known->second;
    streams_.splice(streams_.end(), streams_, known->second);
    const auto ahead = distance(stream.next, segment.sequence);
    if (ahead > kMaxDistance || ahead < -kMaxDistance) restart(stream, segment);
    stream.used = segment.origin.time;
    return stream;
  }
  if (streams_.size() >= kMaxStreams) {
    counts_.evicted++;
    forget(streams_.begin());
  }
  streams_.push_back(
      {.key = key, .next = segment.sequence, .used = segment.origin.time, .owner = segment.origin});
  by_key_[key] = std::prev(streams_.end());
  return streams_.back();
}

void Streams::restart(Stream& stream, const Segment& segment) {
  counts_.restarted++;
  waiting_ -= stream.ahead.size();
  stream = {.key = stream.key,
            .next = segment.sequence,
            .used = segment.origin.time,
            .owner = segment.origin};
}

void Streams::keep(Stream& stream, Segment segment) {
  const auto behind = std::ranges::find_if(stream.ahead, [&](const Segment& other) {
    return distance(segment.sequence, other.sequence) > 0;
  });
  stream.ahead.insert(behind, std::move(segment));
  waiting_++;
}

// A segment that does not begin behind what is expected: what is new in it.
void Streams::feed(Stream& stream, const Segment& segment, std::vector<Datagram>& out) {
  const auto known = static_cast<std::uint32_t>(distance(segment.sequence, stream.next));
  if (known >= segment.size) {
    counts_.repeated++;
    return;
  }
  if (stream.owner.pid == 0) stream.owner = segment.origin;
  const Bytes here(segment.bytes);
  const Bytes bytes = here.subspan(std::min<std::size_t>(known, here.size()));
  const auto skipped = stream.framing.skipped();
  std::vector<Framing::Whole> messages;
  stream.framing.take(bytes, segment.size - known - bytes.size(), segment.origin.time, messages);
  counts_.skipped += stream.framing.skipped() - skipped;
  stream.next += segment.size - known;
  for (const auto& whole : messages) put(stream, segment, whole, out);
}

void Streams::feed_ahead(Stream& stream, std::vector<Datagram>& out) {
  while (!stream.ahead.empty() && distance(stream.next, stream.ahead.front().sequence) <= 0) {
    feed(stream, stream.ahead.front(), out);
    stream.ahead.pop_front();
    waiting_--;
  }
}

// What is missing before the first that waits is missing for good.
void Streams::pass_gap(Stream& stream, std::vector<Datagram>& out) {
  counts_.gaps++;
  Segment gap = stream.ahead.front();
  gap.size = gap.sequence - stream.next;
  gap.sequence = stream.next;
  gap.bytes.clear();
  feed(stream, gap, out);
  feed_ahead(stream, out);
}

void Streams::put(const Stream& stream, const Segment& segment, const Framing::Whole& whole,
                  std::vector<Datagram>& out) {
  auto message = decode(whole.kept, whole.size);
  if (!message) {
    counts_.unreadable++;
    return;
  }
  counts_.messages++;
  Datagram d{.origin = stream.owner,
             .transport = Transport::tcp,
             .was_sent = segment.was_sent,
             .ip_version = segment.ip_version,
             .client = segment.source,
             .server = segment.destination,
             .network_namespace = segment.network_namespace,
             .interface = segment.interface,
             .size = whole.size,
             .message = std::move(*message)};
  // It was asked when the question began, and answered when the answer was whole.
  d.origin.time = d.message.is_answer() ? stream.used : whole.began;
  d.origin.event_class = tapio_dns_is_ordinary(d.message.head.flags) ? TAPIO_BULK : TAPIO_NORMAL;
  if (d.message.is_answer()) std::swap(d.client, d.server);
  out.push_back(std::move(d));
}

std::vector<Datagram> Streams::expire(MonotonicTime now) {
  std::vector<Datagram> out;
  for (auto open = streams_.begin(); open != streams_.end();) {
    const auto next = std::next(open);
    if (!open->ahead.empty() && open->ahead.front().origin.time + kPatience <= now)
      pass_gap(*open, out);
    if (open->used + kIdle <= now) forget(open);
    open = next;
  }
  return out;
}

bool Streams::may_have_missed(const Datagram& query) const {
  const auto answers = by_key_.find({query.server, query.client, query.network_namespace, false});
  return answers != by_key_.end() && answers->second->framing.has_skipped();
}

void Streams::forget(Open open) {
  waiting_ -= open->ahead.size();
  by_key_.erase(open->key);
  streams_.erase(open);
}

}  // namespace tapio::dns
