// SPDX-License-Identifier: Apache-2.0
#include "dns_truncations.hpp"

#include <fmt/format.h>

namespace tapio::dns {

namespace {

std::string question(const Lookup& lookup) {
  const Message& asked = lookup.query.message;
  return fmt::format("{} {}", asked.type, lower_case(asked.name));
}

std::string asked_by(const Lookup& lookup) {
  return fmt::format("{} {}", lookup.query.origin.pid, question(lookup));
}

std::string asked_of(const Lookup& lookup) {
  return fmt::format("{} {}", server_text(lookup.query), question(lookup));
}

}  // namespace

void Truncations::configure(const Config& config) {
  timeout_ = config.timeout;
  truncated_ = config.detect_truncated_answers;
  abandoned_ = config.detect_truncated_abandoned;
}

void Truncations::on(const Lookup& lookup, Transport by, RecordId evidence, Output& out) {
  if (waiting_.size() != 0) follow(lookup, by);
  if (by == Transport::tcp || !lookup.answer || !lookup.answer->message.is_truncated()) return;
  repeated(lookup, evidence, out);
  if (tcp_ == TcpSight::unseen || lookup.query.origin.pid == 0) return;
  Truncated& truncated = waiting_.use(asked_by(lookup));
  truncated = {.lookup = lookup, .evidence = evidence};
  truncated.lookup.answer.reset();
}

// The same question of the same process, at any server.
void Truncations::follow(const Lookup& lookup, Transport by) {
  const auto key = asked_by(lookup);
  const Truncated* before = waiting_.find(key);
  if (!before || lookup.query.origin.time < before->lookup.concluded) return;
  if (Name* name = names_.find(asked_of(before->lookup)))
    (by == Transport::tcp ? name->over_tcp : name->over_udp).add(lookup.concluded, {});
  waiting_.erase(key);
}

void Truncations::repeated(const Lookup& lookup, RecordId evidence, Output& out) {
  const auto now = lookup.concluded;
  Name& name = names_.use(asked_of(lookup));
  for (Streak* streak : {&name.truncated, &name.over_tcp, &name.over_udp})
    streak->forget_before(now - kWindow);
  name.truncated.add(now, evidence);
  if (name.truncated.count() < truncated_ || !name.truncated.tell(now)) return;
  const auto server = server_text(lookup.query);
  tell(kTruncated,
       {.severity = Severity::info,
        .entity = server,
        .summary = fmt::format("{} truncated {} answers for {} {} within {}; {}", server,
                               name.truncated.count(), lookup.query.message.name,
                               type_name(lookup.query.message.type),
                               seconds(name.truncated.length()), what_followed(name)),
        .suggestion = "Each costs a second round trip: let the client offer a larger EDNS size, or "
                      "answer with less.",
        .detail = "repeated"},
       lookup, name.truncated, out);
}

std::string Truncations::what_followed(const Name& name) const {
  if (tcp_ == TcpSight::unseen) return "whether it was asked again over TCP is not seen here";
  const auto tcp = name.over_tcp.count(), udp = name.over_udp.count();
  return fmt::format("{} were asked again over TCP, {} over UDP, by now", tcp, udp);
}

void Truncations::on_tick(MonotonicTime now, Output& out) {
  const auto patience = timeout_ + kPatience;
  waiting_.forget_while([&](const Truncated& oldest) {
    const bool is_over = oldest.lookup.concluded + patience <= now;
    if (is_over) abandoned(oldest, out);
    return is_over;
  });
}

void Truncations::abandoned(const Truncated& truncated, Output& out) {
  const Lookup& lookup = truncated.lookup;
  const auto server = server_text(lookup.query);
  Streak& streak = servers_.use(server);
  streak.forget_before(lookup.concluded - kWindow);
  streak.add(lookup.concluded, truncated.evidence);
  if (streak.count() < abandoned_ || !streak.tell(lookup.concluded)) return;
  tell(kTruncated,
       {.entity = server,
        .summary = fmt::format("{} truncated answers of {} within {} were not asked for again, so "
                               "nobody has them whole",
                               streak.count(), server, seconds(streak.length())),
        .suggestion = "Check that TCP to the name server is not blocked, and that the client falls "
                      "back to it.",
        .detail = "nothing followed"},
       lookup, streak, out);
}

}  // namespace tapio::dns
