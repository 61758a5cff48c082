// SPDX-License-Identifier: Apache-2.0
#include "dns_servers.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <functional>

#include "dns_records.hpp"

namespace tapio::dns {

void ServerFaults::configure(const Config& config) {
  slow_ = config.slow;
  silent_queries_ = config.detect_silent_queries;
  slow_answers_ = config.detect_slow_answers;
  strays_ = config.detect_strays;
  names_.configure(config);
}

bool ServerFaults::on(const Lookup& lookup, RecordId evidence, Output& out) {
  if (lookup.stray) stray(lookup, evidence, out);
  if (lookup.outcome == Outcome::unknown) return false;
  const auto now = lookup.concluded;
  const bool is_answered = lookup.outcome == Outcome::answered;
  const bool is_lagging = !is_answered || lookup.duration() >= slow_;
  const auto text = server_text(lookup.query);
  Server& server = servers_.use(text);
  server.text = text;
  server.used = now;
  if (is_answered) {
    server.answered = std::max(server.answered, now);
    (is_lagging ? server.slow : server.fast).add(now);
  }
  if (is_lagging) note(server, lookup, evidence);
  if (names_.on(lookup, text, is_lagging, evidence, out)) return true;
  if (!is_answered)
    unanswered(server, lookup, evidence, out);
  else if (is_lagging)
    slow(server, lookup, out);
  return false;
}

void ServerFaults::note(Server& server, const Lookup& lookup, RecordId evidence) {
  const auto now = lookup.concluded;
  std::erase_if(server.lagging, [&](const Seen& each) { return each.concluded < now - kWindow; });
  if (server.lagging.size() >= kMaxSeen) server.lagging.pop_front();
  const auto name = lower_case(lookup.query.message.name);
  const std::hash<std::string_view> hash;
  server.lagging.push_back({.asked = lookup.query.origin.time,
                            .concluded = now,
                            .name = hash(name),
                            .zone = hash(zone_of(name)),
                            .is_answered = lookup.outcome == Outcome::answered,
                            .evidence = evidence});
}

// Where only one zone is slow and others are not, the server need not be to blame.
void ServerFaults::slow(Server& server, const Lookup& lookup, Output& out) {
  const auto now = lookup.concluded;
  const auto slow = server.slow.count(now), fast = server.fast.count(now);
  if (slow < slow_answers_ || slow < fast) return;
  const auto zone = server.lagging.back().zone;
  const bool is_one_zone =
      std::ranges::all_of(server.lagging, [&](const Seen& each) { return each.zone == zone; });
  if ((is_one_zone && names_.are_others_prompt(lookup)) || !server.slow_told.due(now)) return;
  Streak streak;
  for (const Seen& each : server.lagging)
    if (each.is_answered) streak.add(each.concluded, each.evidence);
  tell(kSlow,
       {.entity = server.text,
        .summary = fmt::format("{} took longer than {} for {} of its last {} answers", server.text,
                               seconds(slow_), slow, slow + fast),
        .suggestion = "Look at the load of the name server, and at those that it asks itself.",
        .detail = "slow"},
       lookup, streak, out);
}

// Nothing of the server came since the first of them was asked.
void ServerFaults::unanswered(Server& server, const Lookup& lookup, RecordId evidence,
                              Output& out) {
  const auto asked = lookup.query.origin.time;
  server.unanswered.forget_before(std::max(server.answered, asked - kWindow));
  if (asked < server.answered) return;
  server.unanswered.add(asked, evidence);
  if (!is_silent(server, lookup.concluded) || may_be_one_name(server) ||
      !server.unanswered.tell(lookup.concluded))
    return;
  tell(kResolverSilent,
       {.entity = server.text,
        .summary = fmt::format("{} has not answered {} queries in a row, within {}{}", server.text,
                               server.unanswered.count(), seconds(server.unanswered.length()),
                               others(server, lookup.concluded)),
        .suggestion = "Check that the name server runs, and that nothing on the way drops UDP.",
        .detail = "no answer"},
       lookup, server.unanswered, out);
}

// All were for one name, and not long ago the server answered.
bool ServerFaults::may_be_one_name(const Server& server) {
  const auto name = server.lagging.back().name;
  return server.answered.count() != 0 && server.answered + kWindow > server.unanswered.first() &&
         std::ranges::all_of(server.lagging, [&](const Seen& each) {
           return each.name == name || each.is_answered || each.asked < server.answered;
         });
}

bool ServerFaults::is_silent(const Server& server, MonotonicTime now) const {
  return server.unanswered.count() >= silent_queries_ &&
         server.unanswered.first() >= server.answered &&
         server.unanswered.latest() + 2 * kWindow > now;
}

// What other name servers do at the same time tells where to look.
std::string ServerFaults::others(const Server& server, MonotonicTime now) const {
  std::size_t asked = 0, silent = 0;
  for (const auto& [text, other] : servers_.entries()) {
    if (&other == &server || other.used + kWindow < now) continue;
    asked++;
    if (is_silent(other, now)) silent++;
  }
  if (silent == 0) return {};
  if (silent < asked)
    return fmt::format("; {} of {} other name servers are silent too", silent, asked);
  return fmt::format("; none of the {} that are asked answers: the network, or all of them",
                     asked + 1);
}

void ServerFaults::stray(const Lookup& lookup, RecordId evidence, Output& out) {
  const auto now = lookup.concluded;
  const auto server = server_text(lookup.query);
  const auto from = address_text(*lookup.stray, lookup.query.ip_version);
  Streak& streak = by_stray_.use(server + ' ' + from);
  streak.forget_before(now - kWindow);
  streak.add(now, evidence);
  if (streak.count() < strays_ || !streak.tell(now)) return;
  tell(kStrayAnswer,
       {.entity = from,
        .summary = fmt::format("{} answered {} queries within {} that {} was asked", from,
                               streak.count(), seconds(streak.length()), server),
        .suggestion = "Look whether addresses are translated one way only, or somebody forges "
                      "answers; resolver libraries ignore these.",
        .detail = from},
       lookup, streak, out);
}

}  // namespace tapio::dns
