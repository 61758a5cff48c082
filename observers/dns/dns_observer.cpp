// SPDX-License-Identifier: Apache-2.0
#include "dns_observer.hpp"

#include "dns_library.abi.h"
#include "dns_records.hpp"
#include "dns_resolved.hpp"

namespace tapio::dns {

Status DnsObserver::on_sample(const wire::Sample& sample, Output& out) {
  switch (sample.header.kind) {
    case TAPIO_DNS_DATAGRAM:
      take(TRY(datagram_of(sample)), out);
      return {};
    case TAPIO_DNS_SEGMENT:
      take(streams_.take(TRY(segment_of(sample))), out);
      return {};
    case TAPIO_DNS_CONNECTION:
      TRY(wire::event<tapio_dns_connection>(sample, TAPIO_DNS_CONNECTION_VERSION));
      streams_.opened();
      return {};
    case TAPIO_DNS_HELLO:
    case TAPIO_DNS_INITIAL:
      if (const auto session = encrypted_.take(TRY(greeting_of(sample)))) tell(*session, out);
      return {};
    case TAPIO_DNS_LIBRARY:
      take(TRY(call_of(sample)), out);
      return {};
  }
  return invalid("dns: unknown kind");
}

void DnsObserver::take(Datagram message, Output& out) {
  if (config_.library) library_.asked(message);
  for (Lookup* lookup : exchanges_.take(std::move(message))) tell(*lookup, out);
}

void DnsObserver::take(std::vector<Datagram> messages, Output& out) {
  for (Datagram& message : messages) take(std::move(message), out);
}

void DnsObserver::take(const Call& call, Output& out) {
  const auto share = library_.on_the_wire(call);
  const Record record = record_of(call, share, out.arena());
  const bool is_ordinary = call.result == 0 && call.duration() < config_.slow;
  const RecordId id = !is_ordinary || admit(call.origin.time)
                          ? out.emit(record)
                          : out.withhold(record, Withheld::rate_limited);
  library_.judge(call, share, id, {.slow = config_.slow, .calls = config_.detect_slow_answers},
                 out);
}

void DnsObserver::on_fact(const Fact& fact, Output&) {
  const auto* lost = std::get_if<Lost>(&fact);
  if (!lost || lost->observer != "dns") return;
  exchanges_.lost(lost->from, lost->to);
  detectors_.lost();
}

void DnsObserver::on_tick(MonotonicTime now, Output& out) {
  take(streams_.expire(now), out);
  for (Lookup* lookup : exchanges_.expire(now)) {
    if (lookup->query.transport == Transport::tcp && streams_.may_have_missed(lookup->query))
      lookup->outcome = Outcome::unknown;
    tell(*lookup, out);
  }
  for (const auto& session : encrypted_.expire(now)) tell(session, out);
  detectors_.on_tick(now, out);
  health_.on_tick(now, out);
  if (latencies_) latencies_->on_tick(now, out);
}

void DnsObserver::on_settings(const config::Section& settings) {
  config_ = settings.as<Config>();
  rate_.set_rate(config_.rate_per_second);
  exchanges_.set_timeout(config_.timeout);
  encrypted_.set_resolvers(config_.encrypted_resolvers);
  detectors_.configure(config_);
  health_.set_interval(config_.health_interval);
  if (latencies_) latencies_->set_interval(config_.health_interval);
}

std::vector<Counter> DnsObserver::counters() const {
  const auto& counts = exchanges_.counts();
  const auto& tcp = streams_.counts();
  const auto& encrypted = encrypted_.counts();
  return {{"repeated", counts.repeated},
          {"unasked", counts.unasked},
          {"strays", counts.strays},
          {"evicted", counts.evicted},
          {"crowded", crowded_()},
          {"tcp_connections", tcp.connections},
          {"tcp_segments", tcp.segments},
          {"tcp_messages", tcp.messages},
          {"tcp_repeated", tcp.repeated},
          {"tcp_early", tcp.early},
          {"tcp_gaps", tcp.gaps},
          {"tcp_restarted", tcp.restarted},
          {"tcp_evicted", tcp.evicted},
          {"tcp_skipped_bytes", tcp.skipped},
          {"tcp_unreadable", tcp.unreadable},
          {"dot", encrypted.dot},
          {"doh", encrypted.doh},
          {"doq", encrypted.doq},
          {"greetings", encrypted.looked_at},
          {"greetings_repeated", encrypted.repeated},
          {"greetings_unreadable", encrypted.unreadable},
          {"greetings_evicted", encrypted.evicted},
          {"greetings_unopened", encrypted.unopened}};
}

void DnsObserver::tell(Lookup& lookup, Output& out) {
  // Nobody here need answer what only passes through.
  if (lookup.role == Role::server && !lookup.answer) return;
  const auto step = searches_.place(lookup);
  if (step) lookup.search_index = step->index;
  const Record record = record_of(lookup, out.arena());
  const RecordId id = !is_ordinary(lookup) || admit(lookup.concluded)
                          ? out.emit(record)
                          : out.withhold(record, Withheld::rate_limited);
  if (lookup.role != Role::client) return;
  if (const auto fact = resolved(lookup, id, out)) out.publish(*fact);
  if (config_.library) library_.concluded(lookup);
  detectors_.on(lookup, step, id, out);
  health_.on(lookup);
}

void DnsObserver::tell(const EncryptedSession& session, Output& out) {
  const Record record = record_of(session, out.arena());
  if (admit(session.greeting.origin.time))
    out.emit(record);
  else
    out.withhold(record, Withheld::rate_limited);
}

// `unknown` is what a limit makes of many at once: it says something of us, not of the lookup.
bool DnsObserver::is_ordinary(const Lookup& lookup) const {
  if (lookup.outcome == Outcome::unknown) return true;
  return lookup.outcome == Outcome::answered && lookup.attempt == 1 && !lookup.stray &&
         lookup.duration() < config_.slow && lookup.answer->message.rcode() == kNoError &&
         !lookup.answer->message.is_truncated();
}

bool DnsObserver::admit(MonotonicTime now) {
  if (rate_.admit(now)) return true;
  return config_.keep_one_in != 0 && ++beyond_ % config_.keep_one_in == 0;
}

}  // namespace tapio::dns
