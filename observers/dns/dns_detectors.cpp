// SPDX-License-Identifier: Apache-2.0
#include "dns_detectors.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "dns_records.hpp"

namespace tapio::dns {

namespace {

// One name of one process. A NUL is in no name.
std::string name_key(std::uint32_t pid, std::string_view name) {
  return fmt::format("{}{}{}", pid, '\0', name);
}

}  // namespace

void Detectors::configure(const Config& config) {
  failing_answers_ = config.detect_failing_answers;
  retries_ = config.detect_retries;
  search_names_ = config.detect_search_names;
  search_lookups_ = config.detect_search_lookups;
  servers_.configure(config);
  truncations_.configure(config);
}

void Detectors::on(const Lookup& lookup, const std::optional<Searches::Step>& step,
                   RecordId evidence, Output& out) {
  if (lookup.attempt > 1) retried(lookup, evidence, out);
  const bool is_names_fault = servers_.on(lookup, evidence, out);
  if (lookup.outcome == Outcome::unanswered && !is_names_fault)
    failed(lookup, "no answer", evidence, out);
  if (lookup.outcome == Outcome::answered) answered(lookup, evidence, out);
  if (step && step->missed && step->index >= search_names_) searched(lookup, *step, evidence, out);
  truncations_.on(lookup, lookup.query.transport, evidence, out);
}

void Detectors::answered(const Lookup& lookup, RecordId evidence, Output& out) {
  const auto rcode = lookup.answer->message.rcode();
  if (rcode == kServFail || rcode == kRefused || rcode == kNxDomain)
    failed(lookup, rcode_name(rcode), evidence, out);
  else if (rcode == kNoError)
    forget_searched(lookup);
}

void Detectors::retried(const Lookup& lookup, RecordId evidence, Output& out) {
  const auto now = lookup.concluded;
  if (lookup.query.origin.pid == 0) return;
  Streak& retries = retried_.use(lookup.query.origin.pid);
  retries.forget_before(now - kWindow);
  retries.add(now, evidence);
  if (retries.count() < retries_ || !retries.tell(now)) return;
  const auto who = process_text(lookup, out.world());
  tell(kRetries,
       {.entity = who,
        .summary = fmt::format("{} had to repeat {} queries within {}", who, retries.count(),
                               seconds(retries.length())),
        .suggestion = "Look whether queries or answers are lost, or the name server is slow.",
        .detail = "retries"},
       lookup, retries, out);
}

// By what stood behind the names that do not exist: a search list has the same each time, and names
// that only begin alike do not.
void Detectors::searched(const Lookup& lookup, const Searches::Step& step, RecordId evidence,
                         Output& out) {
  const auto now = lookup.concluded;
  Streak& streak = searches_.use(name_key(lookup.query.origin.pid, *step.missed));
  streak.forget_before(now - kWindow);
  streak.add(now, evidence);
  if (streak.count() < search_lookups_ || !streak.tell(now)) return;
  const auto who = process_text(lookup, out.world());
  tell(kSearchAmplification,
       {.severity = Severity::info,
        .entity = who,
        .summary = fmt::format(
            "{} asked for {} names that do not exist before one did, {} times within {}, the "
            "latest being {}; behind them stood {}",
            who, step.index, streak.count(), seconds(streak.length()), lookup.query.message.name,
            *step.missed),
        .suggestion = "Give the fully qualified name with a trailing dot, or lower ndots in "
                      "resolv.conf.",
        .detail = *step.missed},
       lookup, streak, out);
}

void Detectors::failed(const Lookup& lookup, std::string_view how, RecordId evidence, Output& out) {
  const auto now = lookup.concluded;
  const auto& name = lookup.query.message.name;
  Streak& failures = use_name(name_key(lookup.query.origin.pid, name), now).failures;
  failures.forget_before(now - kWindow);
  failures.add(now, evidence);
  if (failures.count() < failing_answers_ || !failures.tell(now)) return;
  const auto who = process_text(lookup, out.world());
  tell(kFailingName,
       {.entity = who,
        .summary = fmt::format("{} failed {} times within {} to resolve {}: {}", who,
                               failures.count(), seconds(failures.length()), name, how),
        .suggestion = "Check the name, its zone, and the name server that was asked.",
        .detail = std::string(how)},
       lookup, failures, out);
}

Detectors::Name& Detectors::use_name(const std::string& key, MonotonicTime now) {
  if (names_.size() >= kMaxNames && !names_.contains(key))
    names_.erase(
        std::ranges::min_element(names_, {}, [](const auto& each) { return each.second.used; }));
  Name& name = names_[key];
  name.used = now;
  return name;
}

// A name that works explains the failures before it: the resolver went through its search list.
void Detectors::forget_searched(const Lookup& lookup) {
  if (names_.empty()) return;  // nearly always
  const auto searched = name_key(lookup.query.origin.pid, lookup.query.message.name);
  for (auto at = names_.lower_bound(searched);
       at != names_.end() && at->first.starts_with(searched);)
    at = at->first.size() == searched.size() || at->first[searched.size()] == '.' ? names_.erase(at)
                                                                                  : std::next(at);
}

}  // namespace tapio::dns
