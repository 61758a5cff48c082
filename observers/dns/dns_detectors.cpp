// SPDX-License-Identifier: Apache-2.0
#include "dns_detectors.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "dns_records.hpp"

namespace tapio::dns {

namespace {

// The entry of a bounded map, made when there is none.
template <typename Map>
typename Map::mapped_type& use(Map& map, const typename Map::key_type& key, std::size_t most,
                               MonotonicTime now) {
  if (map.size() >= most && !map.contains(key)) {
    const auto oldest =
        std::ranges::min_element(map, {}, [](const auto& each) { return each.second.used; });
    map.erase(oldest);
  }
  auto& entry = map[key];
  entry.used = now;
  return entry;
}

std::string process_text(const Lookup& lookup, const World& world) {
  const auto pid = lookup.query.origin.pid;
  if (pid == 0) return "somebody";
  const auto* process = world.process(pid);
  return label(process ? std::string_view(process->name) : std::string_view(), pid);
}

std::string seconds(std::chrono::nanoseconds time) {
  return fmt::format("{:.1f} s", std::chrono::duration<double>(time).count());
}

struct Report {
  Severity severity = Severity::warning;
  std::string entity, summary;
  std::string_view suggestion, detail;
};

void tell(const FindingSchema& schema, const Report& report, const Lookup& lookup,
          const Streak& streak, Output& out) {
  Arena& arena = out.arena();
  Origin origin = lookup.query.origin;
  origin.time = lookup.concluded;
  origin.event_class = TAPIO_NORMAL;
  out.emit(schema(origin, name(report.severity), arena.keep(report.entity),
                  arena.keep(report.summary), report.suggestion, std::uint64_t{streak.count()},
                  streak.latest() - streak.first(), streak.evidence(arena),
                  arena.keep(address_text(lookup.query.server, lookup.query.ip_version)),
                  arena.keep(lookup.query.message.name), arena.keep(report.detail)));
}

// One name of one process. A NUL is in no name.
std::string name_key(std::uint32_t pid, std::string_view name) {
  return fmt::format("{}{}{}", pid, '\0', name);
}

}  // namespace

void Streak::add(MonotonicTime time, RecordId evidence) {
  if (times_.size() >= kMaxTimes) times_.pop_front();
  times_.push_back(time);
  if (evidence_.size() >= kMax) evidence_.pop_front();
  evidence_.push_back(evidence);
}

void Streak::forget_before(MonotonicTime time) {
  while (!times_.empty() && times_.front() < time) times_.pop_front();
  while (evidence_.size() > times_.size()) evidence_.pop_front();
}

bool Streak::tell(MonotonicTime now) {
  if (told_ && now < *told_ + kRepeat) return false;
  told_ = now;
  return true;
}

std::span<const std::string_view> Streak::evidence(Arena& arena) const {
  const auto list = arena.list(evidence_.size());
  std::ranges::transform(evidence_, list.begin(),
                         [&](RecordId id) { return arena.keep(id.text()); });
  return list;
}

void Detectors::configure(const Config& config) {
  slow_ = config.slow;
  silent_queries_ = config.detect_silent_queries;
  failing_answers_ = config.detect_failing_answers;
  slow_answers_ = config.detect_slow_answers;
  retries_ = config.detect_retries;
}

void Detectors::on(const Lookup& lookup, RecordId evidence, Output& out) {
  if (lookup.attempt > 1) retried(lookup, evidence, out);
  if (lookup.outcome == Outcome::unanswered) unanswered(lookup, evidence, out);
  if (lookup.outcome == Outcome::answered) answered(lookup, evidence, out);
}

// That a server is silent can be said when nothing of it came since the first of them was asked:
// otherwise it is one name that is not answered.
void Detectors::unanswered(const Lookup& lookup, RecordId evidence, Output& out) {
  failed(lookup, "no answer", evidence, out);
  const auto text = server_text(lookup.query);
  const auto asked = lookup.query.origin.time;
  Server& server = use(servers_, text, kMaxServers, lookup.concluded);
  server.unanswered.forget_before(std::max(server.answered, asked - kWindow));
  if (asked < server.answered) return;
  server.unanswered.add(asked, evidence);
  if (server.unanswered.count() < silent_queries_ || !server.unanswered.tell(lookup.concluded))
    return;
  tell(kResolverSilent,
       {.entity = text,
        .summary = fmt::format("{} has not answered {} queries in a row, within {}", text,
                               server.unanswered.count(),
                               seconds(server.unanswered.latest() - server.unanswered.first())),
        .suggestion = "Check that the name server runs, and that nothing on the way drops UDP.",
        .detail = "no answer"},
       lookup, server.unanswered, out);
}

void Detectors::answered(const Lookup& lookup, RecordId evidence, Output& out) {
  const auto now = lookup.concluded;
  const auto text = server_text(lookup.query);
  Server& server = use(servers_, text, kMaxServers, now);
  server.answered = std::max(server.answered, now);
  const auto rcode = lookup.answer->message.rcode();
  if (rcode == kServFail || rcode == kRefused || rcode == kNxDomain)
    failed(lookup, rcode_name(rcode), evidence, out);
  else if (rcode == kNoError)
    forget_searched(lookup);
  const bool is_slow = lookup.duration() >= slow_;
  server.slow.forget_before(now - kWindow);
  server.fast.forget_before(now - kWindow);
  (is_slow ? server.slow : server.fast).add(now, evidence);
  if (!is_slow || server.slow.count() < slow_answers_ ||
      server.slow.count() < server.fast.count() || !server.slow.tell(now))
    return;
  tell(kSlow,
       {.entity = text,
        .summary = fmt::format("{} took longer than {} for {} of its last {} answers", text,
                               seconds(slow_), server.slow.count(),
                               server.slow.count() + server.fast.count()),
        .suggestion = "Look at the load of the name server, and at those that it asks itself.",
        .detail = "slow"},
       lookup, server.slow, out);
}

void Detectors::retried(const Lookup& lookup, RecordId evidence, Output& out) {
  const auto now = lookup.concluded;
  if (lookup.query.origin.pid == 0) return;
  Process& process = use(processes_, lookup.query.origin.pid, kMaxProcesses, now);
  process.retries.forget_before(now - kWindow);
  process.retries.add(now, evidence);
  if (process.retries.count() < retries_ || !process.retries.tell(now)) return;
  const auto who = process_text(lookup, out.world());
  tell(
      kRetries,
      {.entity = who,
       .summary = fmt::format("{} had to repeat {} queries within {}", who, process.retries.count(),
                              seconds(process.retries.latest() - process.retries.first())),
       .suggestion = "Look whether queries or answers are lost, or the name server is slow.",
       .detail = "retries"},
      lookup, process.retries, out);
}

void Detectors::failed(const Lookup& lookup, std::string_view how, RecordId evidence, Output& out) {
  const auto now = lookup.concluded;
  const auto& name = lookup.query.message.name;
  const auto pid = lookup.query.origin.pid;
  Name& known = use(names_, name_key(pid, name), kMaxNames, now);
  known.failures.forget_before(now - kWindow);
  known.failures.add(now, evidence);
  if (known.failures.count() < failing_answers_ || !known.failures.tell(now)) return;
  const auto who = process_text(lookup, out.world());
  tell(kFailingName,
       {.entity = who,
        .summary = fmt::format(
            "{} failed {} times within {} to resolve {}: {}", who, known.failures.count(),
            seconds(known.failures.latest() - known.failures.first()), name, how),
        .suggestion = "Check the name, its zone, and the name server that was asked.",
        .detail = how},
       lookup, known.failures, out);
}

// A name that works explains the failures before it: the resolver went through its search list.
void Detectors::forget_searched(const Lookup& lookup) {
  const auto searched = name_key(lookup.query.origin.pid, lookup.query.message.name);
  for (auto at = names_.lower_bound(searched);
       at != names_.end() && at->first.starts_with(searched);)
    at = at->first.size() == searched.size() || at->first[searched.size()] == '.' ? names_.erase(at)
                                                                                  : std::next(at);
}

}  // namespace tapio::dns
