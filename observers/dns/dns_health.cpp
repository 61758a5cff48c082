// SPDX-License-Identifier: Apache-2.0
#include "dns_health.hpp"

#include "dns_records.hpp"
#include "dns_schemas.hpp"

namespace tapio::dns {

void Health::on(const Lookup& lookup) {
  if (!since_) since_ = lookup.concluded;
  series_of(lookup.query).add(lookup);
}

Health::Series& Health::series_of(const Datagram& query) {
  auto text = server_text(query);
  if (const auto known = servers_.find(text); known != servers_.end()) return known->second;
  if (servers_.size() >= kMaxServers)
    return other_ ? *other_ : other_.emplace(Series{.address = "other"});
  Series& series = servers_[std::move(text)];
  series.address = address_text(query.server, query.ip_version);
  series.port = query.server.port;
  return series;
}

void Health::Series::add(const Lookup& lookup) {
  lookups++;
  if (lookup.attempt > 1) repeated++;
  switch (lookup.outcome) {
    case Outcome::answered:
      return add_answer(lookup);
    case Outcome::unanswered:
      unanswered++;
      return;
    case Outcome::unknown:
      unknown++;
  }
}

void Health::Series::add_answer(const Lookup& lookup) {
  answered++;
  latency.add(lookup.duration());
  const Message& answer = lookup.answer->message;
  if (answer.is_truncated()) truncated++;
  switch (answer.rcode()) {
    case kNoError:
      no_error++;
      return;
    case kNxDomain:
      no_domain++;
      return;
    case kServFail:
      server_failure++;
      return;
    case kRefused:
      refused++;
      return;
    default:
      other_code++;
  }
}

void Health::on_tick(MonotonicTime now, Output& out) {
  if (!since_ || now < *since_ + interval_) return;
  for (const auto& [text, series] : servers_) tell(series, now, out);
  if (other_) tell(*other_, now, out);
  servers_.clear();
  other_.reset();
  since_.reset();
}

void Health::tell(const Series& s, MonotonicTime now, Output& out) const {
  const auto known = [&](const auto& value) { return s.answered == 0 ? Value{} : Value{value}; };
  out.emit(kServerHealth(
      {.time = now, .event_class = TAPIO_BULK}, out.arena().keep(s.address),
      s.port == 0 ? Value{} : Value{std::uint64_t{s.port}}, now - *since_, s.lookups, s.answered,
      s.no_error, s.no_domain, s.server_failure, s.refused, s.other_code, s.truncated, s.unanswered,
      s.unknown, s.repeated, known(s.latency.least()), known(s.latency.mean()),
      known(s.latency.quantile(0.5)), known(s.latency.quantile(0.99)), known(s.latency.most())));
}

}  // namespace tapio::dns
