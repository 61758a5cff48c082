// SPDX-License-Identifier: Apache-2.0
#include "dns_observer.hpp"

#include "dns_records.hpp"

namespace tapio::dns {

Status DnsObserver::on_sample(const wire::Sample& sample, Output& out) {
  for (const Lookup& lookup : exchanges_.take(TRY(datagram_of(sample)))) tell(lookup, out);
  return {};
}

void DnsObserver::on_fact(const Fact& fact, Output&) {
  if (const auto* lost = std::get_if<Lost>(&fact); lost && lost->observer == "dns")
    exchanges_.lost(lost->from, lost->to);
}

void DnsObserver::on_tick(MonotonicTime now, Output& out) {
  for (const Lookup& lookup : exchanges_.expire(now)) tell(lookup, out);
}

void DnsObserver::on_settings(const config::Section& settings) {
  config_ = settings.as<Config>();
  rate_.set_rate(config_.rate_per_second);
  exchanges_.set_timeout(config_.timeout);
  detectors_.configure(config_);
}

void DnsObserver::tell(const Lookup& lookup, Output& out) {
  // Nobody here need answer what only passes through.
  if (lookup.role == Role::server && !lookup.answer) return;
  const Record record = record_of(lookup, out.arena());
  const RecordId id =
      admit(lookup) ? out.emit(record) : out.withhold(record, Withheld::rate_limited);
  if (lookup.role == Role::client) detectors_.on(lookup, id, out);
}

bool DnsObserver::is_ordinary(const Lookup& lookup) const {
  return lookup.outcome == Outcome::answered && lookup.attempt == 1 && !lookup.stray &&
         lookup.duration() < config_.slow && lookup.answer->message.rcode() == kNoError &&
         !lookup.answer->message.is_truncated();
}

bool DnsObserver::admit(const Lookup& lookup) {
  if (!is_ordinary(lookup) || rate_.admit(lookup.concluded)) return true;
  return config_.keep_one_in != 0 && ++beyond_ % config_.keep_one_in == 0;
}

}  // namespace tapio::dns
