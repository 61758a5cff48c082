// SPDX-License-Identifier: Apache-2.0
#include "dns_observer.hpp"

#include "dns_records.hpp"
#include "dns_resolved.hpp"

namespace tapio::dns {

Status DnsObserver::on_sample(const wire::Sample& sample, Output& out) {
  for (Lookup& lookup : exchanges_.take(TRY(datagram_of(sample)))) tell(std::move(lookup), out);
  return {};
}

void DnsObserver::on_fact(const Fact& fact, Output&) {
  const auto* lost = std::get_if<Lost>(&fact);
  if (!lost || lost->observer != "dns") return;
  exchanges_.lost(lost->from, lost->to);
  detectors_.lost();
}

void DnsObserver::on_tick(MonotonicTime now, Output& out) {
  for (Lookup& lookup : exchanges_.expire(now)) tell(std::move(lookup), out);
  detectors_.on_tick(now, out);
  health_.on_tick(now, out);
}

void DnsObserver::on_settings(const config::Section& settings) {
  config_ = settings.as<Config>();
  rate_.set_rate(config_.rate_per_second);
  exchanges_.set_timeout(config_.timeout);
  detectors_.configure(config_);
  health_.set_interval(config_.health_interval);
}

std::vector<Counter> DnsObserver::counters() const {
  const auto& counts = exchanges_.counts();
  return {{"repeated", counts.repeated},
          {"unasked", counts.unasked},
          {"strays", counts.strays},
          {"evicted", counts.evicted}};
}

void DnsObserver::tell(Lookup lookup, Output& out) {
  // Nobody here need answer what only passes through.
  if (lookup.role == Role::server && !lookup.answer) return;
  const auto step = searches_.place(lookup);
  if (step) lookup.search_index = step->index;
  const Record record = record_of(lookup, out.arena());
  const RecordId id =
      admit(lookup) ? out.emit(record) : out.withhold(record, Withheld::rate_limited);
  if (lookup.role != Role::client) return;
  if (const auto fact = resolved(lookup, id, out)) out.publish(*fact);
  detectors_.on(lookup, step, id, out);
  health_.on(lookup);
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
