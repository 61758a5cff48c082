// SPDX-License-Identifier: Apache-2.0
#include "nats_sink.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <random>

#include "base/host.hpp"
#include "nats_stream.hpp"
#include "nats_subject.hpp"
#include "record/gap.hpp"
#include "record/json.hpp"

namespace tapio::nats {

namespace {

using std::chrono::steady_clock;

constexpr unsigned kNobodyTakesIt = 503;

Result<std::string> name_of_node() {
  std::string name = TRY(host_name());
  const auto good = [](char c) { return c == '.' || as_token(c) == c; };
  if (name.empty() || !std::ranges::all_of(name, good))
    return invalid(
        fmt::format("the host name {} is no name for a node; give node", config::shown(name)));
  return name;
}

// "<inbox>.<group>.<index>": the two numbers. The index of a gap that goes in the place of a record
// is that of the record, behind those of all records of the group.
std::optional<std::pair<std::uint64_t, std::size_t>> numbers(std::string_view reply,
                                                             std::string_view inbox) {
  if (!reply.starts_with(inbox) || reply.size() == inbox.size()) return {};
  const auto text = reply.substr(inbox.size() + 1);
  std::pair<std::uint64_t, std::size_t> out{};
  const char* end = text.data() + text.size();
  const auto group = std::from_chars(text.data(), end, out.first);
  if (group.ec != std::errc{} || group.ptr == end || *group.ptr != '.') return {};
  const auto index = std::from_chars(group.ptr + 1, end, out.second);
  if (index.ec != std::errc{} || index.ptr != end) return {};
  return out;
}

// What goes in the place of a record that no message can hold, so that its absence is told.
Record gap_for(const Record& record) {
  const auto whole = record.schema->name;
  const auto time = record.origin.time;
  Record gap = kGap({.time = time}, whole.substr(0, whole.find('.')),
                    name(record.origin.event_class), std::string_view("sink:nats"),
                    std::string_view("too_large"), time, time, std::uint64_t{1});
  gap.id = record.id;
  return gap;
}

}  // namespace

Result<std::unique_ptr<NatsSink>> NatsSink::open(const Config& config) {
  std::unique_ptr<NatsSink> sink(new NatsSink(config));
  for (const std::string& url : config.servers) sink->servers_.push_back(TRY(parse_address(url)));
  // So that the nodes of a fleet do not all go to the first.
  sink->server_ = std::random_device{}() % sink->servers_.size();
  sink->node_ = config.node.empty() ? TRY(name_of_node()) : config.node;
  sink->begin_ = config.prefix + '.';
  append_token(sink->begin_, sink->node_);
  sink->begin_ += '.';
  TRY(read_login(config));  // to say at once what is wrong; it is read anew for each connection
  return sink;
}

Status NatsSink::write(const Batch& batch) {
  const std::array one = {&batch};
  return write_all(one);
}

Status NatsSink::write_group(Group group) {
  std::vector<const Batch*> batches;
  for (const auto& batch : group) batches.push_back(batch.get());
  return write_all(batches);
}

Status NatsSink::write_all(Batches batches) {
  begin(batches);
  if (sendings_.empty()) return {};
  const std::size_t before = missing_;
  Status status = deliver(batches, steady_clock::now() + kPatience);
  if (status) {
    group_.clear();
    return status;
  }
  // It may be that only this server, or the way to it, has a fault.
  if (missing_ == before) connection_.reset();
  if (!connection_) server_ = (server_ + 1) % servers_.size();
  return status;
}

// Keeps what is known of a group that comes again.
void NatsSink::begin(Batches batches) {
  std::size_t records = 0;
  for (const Batch* batch : batches) records += batch->records.size();
  id_.clear();
  if (records > 0) {
    const auto first =
        std::ranges::find_if(batches, [](const Batch* b) { return !b->records.empty(); });
    append_message_id(id_, node_, (*first)->records.front());
  }
  if (id_ != group_ || records != sendings_.size()) {
    group_ = id_;
    ++number_;
    sendings_.assign(records, {});
    missing_ = records;
    under_way_ = 0;
  }
}

Status NatsSink::deliver(Batches batches, Deadline deadline) {
  TRY(connect(deadline));
  for (Sending& sending : sendings_) set(sending, State::waiting);
  // What is too large for the stream makes a second round.
  while (missing_ > 0) {
    std::size_t index = 0;
    for (const Batch* batch : batches)
      for (const Record& record : batch->records)
        TRY(send(record, batch->clocks, index++, deadline));
    while (under_way_ > 0) TRY(take_answer(deadline));
  }
  return {};
}

// Of one that is acknowledged nothing else is heard.
void NatsSink::set(Sending& sending, State state) {
  if (sending.state == State::acknowledged) return;
  under_way_ += (state == State::sent ? 1 : 0) - (sending.state == State::sent ? 1 : 0);
  missing_ -= state == State::acknowledged ? 1 : 0;
  sending.state = state;
}

Status NatsSink::connect(Deadline deadline) {
  if (connection_) catch_up(deadline);
  if (connection_) return {};
  const Address& address = servers_[server_];
  Status status = open_connection(address, deadline);
  if (status && config_.stream_create) status = create_stream(deadline);
  if (!status) {
    connection_.reset();
    Error error = std::move(status.error()).within(address.text());
    error.fault = Fault::unavailable;  // also a file may be there again, later
    return std::unexpected(std::move(error));
  }
  std::uint64_t unsaid = 0;
  if (connected_.due(steady_clock::now().time_since_epoch(), unsaid))
    log::info("sink nats: connected with {}", address.text());
  return {};
}

// With what came since the last call: answers that were late, or the end of an idle connection.
void NatsSink::catch_up(Deadline deadline) {
  while (steady_clock::now() < deadline) {
    const auto heard = connection_->next(steady_clock::now());
    if (!heard) return connection_.reset();
    if (!*heard) return;
    (void)heed(**heard);  // a refusal will come again
  }
}

Status NatsSink::open_connection(const Address& address, Deadline deadline) {
  const Connection::Options options{
      .name = "tapio " + node_,
      .tls = {.ca = config_.tls_ca, .certificate = config_.tls_certificate, .key = config_.tls_key},
      .login = TRY(read_login(config_))};
  connection_ = TRY(Connection::open(address, options, deadline));
  return {};
}

Status NatsSink::create_stream(Deadline deadline) {
  const std::string reply = connection_->inbox() + ".create";
  connection_->publish({.subject = create_stream_subject(config_),
                        .reply = reply,
                        .text = create_stream_json(config_)});
  std::optional<Said> heard;
  do {
    heard = TRY(connection_->next(deadline));
    if (!heard || steady_clock::now() > deadline)
      return fail(Fault::unavailable, "no answer from JetStream");
  } while (heard->subject != reply);
  if (heard->status == kNobodyTakesIt)
    return fail(Fault::unavailable, "the server has no JetStream");
  const Answer answer = TRY(parse_answer(heard->text));
  if (answer.done || answer.error == Answer::kOtherStream) return {};
  return fail(Fault::unavailable,
              fmt::format("create stream {}: {}", config_.stream_name, answer.description));
}

Status NatsSink::send(const Record& record, const Clocks& clocks, std::size_t index,
                      Deadline deadline) {
  Sending& sending = sendings_[index];
  if (sending.state != State::waiting) return {};
  if (!sending.too_large) write_message(record, clocks, index);
  if (sending.too_large || message_.bytes() > connection_->max_payload()) {
    write_message(gap_for(record), clocks, sendings_.size() + index);
    if (message_.bytes() > connection_->max_payload())
      return invalid(fmt::format("the server takes {} bytes at most", connection_->max_payload()));
    complain(too_large_,
             fmt::format("{} is larger than the server takes; a gap goes in its place", id_));
  }
  connection_->publish(message_);
  set(sending, State::sent);
  sending.sent_before = std::exchange(sending.sent_once, true);
  while (under_way_ >= kMaxUnderWay || connection_->unsent() >= kMaxUnsent)
    TRY(take_answer(deadline));
  return {};
}

void NatsSink::write_message(const Record& record, const Clocks& clocks, std::size_t index) {
  subject_.clear();
  append_subject(subject_, begin_, record);
  id_.clear();
  append_message_id(id_, node_, record);
  text_.clear();
  append_json(text_, record, clocks);
  reply_ = fmt::format("{}.{}.{}", connection_->inbox(), number_, index);
  message_ = {.subject = subject_, .reply = reply_, .id = id_, .text = text_};
}

// Waits for one.
Status NatsSink::take_answer(Deadline deadline) {
  const auto heard = connection_->next(deadline);
  if (!heard) {
    connection_.reset();
    return std::unexpected(Error(heard.error()).within(servers_[server_].text()));
  }
  if (*heard) TRY(heed(**heard));
  if (*heard && steady_clock::now() < deadline) return {};
  return missing_ == 0 ? Status{} : fail(Fault::unavailable, unanswered());
}

Status NatsSink::heed(const Said& said) {
  const auto at = numbers(said.subject, connection_->inbox());
  if (!at || at->first != number_ || at->second >= 2 * sendings_.size()) return {};
  const bool of_gap = at->second >= sendings_.size();
  Sending& sending = sendings_[at->second - (of_gap ? sendings_.size() : 0)];
  if (said.status == kNobodyTakesIt)
    return fail(
        Fault::unavailable,
        fmt::format("no stream takes {}>: is JetStream on? Create one, as with `nats stream "
                    "add {} --subjects '{}.>'`, or say stream.create: true",
                    begin_, config_.stream_name, config_.prefix));
  const Answer answer = TRY(parse_answer(said.text));
  if (answer.error == Answer::kTooLarge && of_gap)
    return invalid("the stream takes no message, not even of a gap: " + answer.description);
  return judge(sending, answer);
}

Status NatsSink::judge(Sending& sending, const Answer& answer) {
  if (answer.done) {
    if (answer.duplicate && !sending.sent_before)
      complain(
          duplicates_,
          fmt::format("the stream had a message of {} that was not sent from here: does another "
                      "node have the same name? Give each its own sinks.nats.node",
                      node_));
    set(sending, State::acknowledged);
    return {};
  }
  if (answer.error != Answer::kTooLarge)
    return fail(Fault::unavailable, "the stream: " + answer.description);
  if (!std::exchange(sending.too_large, true)) set(sending, State::waiting);
  return {};
}

std::string NatsSink::unanswered() {
  const std::string complaint = connection_->complaint();
  return fmt::format("{}: {} of {} records were not acknowledged within {} s{}{}",
                     servers_[server_].text(), missing_, sendings_.size(),
                     std::chrono::duration_cast<std::chrono::seconds>(kPatience).count(),
                     complaint.empty() ? "" : "; the server says: ", complaint);
}

void NatsSink::complain(log::Sparingly& often, std::string_view what) {
  std::uint64_t unsaid = 0;
  if (!often.due(steady_clock::now().time_since_epoch(), unsaid)) return;
  log::warning("sink nats: {} ({} more like it)", what, unsaid);
}

}  // namespace tapio::nats
