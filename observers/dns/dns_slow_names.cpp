// SPDX-License-Identifier: Apache-2.0
#include "dns_slow_names.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "dns_records.hpp"

namespace tapio::dns {

namespace {

// Of the prompt answers since the part was first known to lag, those for others.
std::uint64_t others_prompt(const PerMinute& all, const PerMinute& own, MonotonicTime now,
                            MonotonicTime since) {
  const auto sum = all.count(now, since), mine = own.count(now, since);
  return sum - std::min(sum, mine);  // the sum begins anew when its server had to go
}

}  // namespace

void SlowNames::configure(const Config& config) {
  slow_ = config.slow;
  least_ = config.detect_slow_answers;
}

// No name has a space. A zone that is a name, too, is kept apart from it.
SlowNames::Keys SlowNames::keys_of(std::string_view server, const Lookup& lookup) {
  const auto name = lower_case(lookup.query.message.name);
  return {.name = fmt::format("{} {}", server, name),
          .zone = fmt::format("{} * {}", server, zone_of(name))};
}

bool SlowNames::on(const Lookup& lookup, const std::string& text, bool is_lagging,
                   RecordId evidence, Output& out) {
  const auto now = lookup.concluded;
  Server& server = servers_.use(text);
  (is_lagging ? server.lagging : server.prompt).add(now);
  if (!is_lagging && parts_.size() == 0) return false;
  const Keys keys = keys_of(text, lookup);
  if (!is_lagging) {
    for (const auto& key : {keys.name, keys.zone})
      if (Part* part = parts_.find(key)) part->prompt.add(now);
    return false;
  }
  note_lagging(keys.name, lookup, evidence);
  note_lagging(keys.zone, lookup, evidence);
  const auto& name = lookup.query.message.name;
  if (Part& part = parts_.use(keys.name); is_to_blame(server, part, now)) {
    tell_of(part, name, lookup, out);
    return true;
  }
  if (Part& part = parts_.use(keys.zone); is_to_blame(server, part, now)) {
    tell_of(part, fmt::format("names that end in {}", zone_of(name)), lookup, out);
    return true;
  }
  return false;
}

void SlowNames::note_lagging(const std::string& key, const Lookup& lookup, RecordId evidence) {
  const auto now = lookup.concluded;
  Part& part = parts_.use(key);
  part.lagging.forget_before(now - kWindow);
  part.unanswered.forget_before(now - kWindow);
  if (part.lagging.empty()) {
    part.since = now;
    part.prompt = {};
  }
  part.lagging.add(now, evidence);
  if (!lookup.answer) part.unanswered.add(now, evidence);
}

// It lags no less often than not, and of the others four of five are prompt.
bool SlowNames::is_to_blame(const Server& server, const Part& part, MonotonicTime now) const {
  const auto lagging = part.lagging.count();
  const auto prompt = part.prompt.count(now);
  const auto others = others_prompt(server.prompt, part.prompt, now, part.since);
  const auto all_lagging = server.lagging.count(now);
  const auto others_lagging = all_lagging - std::min<std::uint64_t>(all_lagging, lagging);
  return lagging >= least_ && lagging >= prompt && others >= least_ && others >= 4 * others_lagging;
}

void SlowNames::tell_of(Part& part, std::string entity, const Lookup& lookup, Output& out) const {
  if (!part.told.due(lookup.concluded)) return;
  const auto count = part.lagging.count(), unanswered = part.unanswered.count();
  const auto how = unanswered == 0 ? fmt::format("took longer than {}", seconds(slow_))
                   : unanswered == count
                       ? std::string("went unanswered")
                       : fmt::format("took longer than {} or went unanswered", seconds(slow_));
  tell(kSlowName,
       {.entity = entity,
        .summary =
            fmt::format("{} queries for {} {} within {}, while {} answered others quickly", count,
                        entity, how, seconds(part.lagging.length()), server_text(lookup.query)),
        .suggestion = "Look at the name servers of that zone; the one that was asked waits for "
                      "them.",
        .detail = unanswered == count ? "no answer" : "slow"},
       lookup, part.lagging, out);
}

bool SlowNames::are_others_prompt(const Lookup& lookup) {
  const auto text = server_text(lookup.query);
  const Server* server = servers_.find(text);
  const Part* zone = parts_.find(keys_of(text, lookup).zone);
  return server && zone &&
         others_prompt(server->prompt, zone->prompt, lookup.concluded, zone->since) != 0;
}

}  // namespace tapio::dns
