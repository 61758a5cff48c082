// SPDX-License-Identifier: Apache-2.0
#include "dns_exchanges.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <functional>
#include <string_view>

namespace tapio::dns {

namespace {

// Some answers that refuse have no question (RFC 1035 does not ask for it).
bool is_same_question(const Message& query, const Message& other) {
  if (other.is_answer() && other.name.empty()) return true;
  return query.type == other.type && is_same_name(query.name, other.name);
}

}  // namespace

std::string_view name(Role role) {
  return role == Role::client ? "client" : "server";
}

std::string_view name(Outcome outcome) {
  switch (outcome) {
    case Outcome::answered:
      return "answered";
    case Outcome::unanswered:
      return "unanswered";
    case Outcome::unknown:
      return "unknown";
  }
  return "unknown";
}

std::size_t Exchanges::KeyHash::operator()(const Key& key) const {
  const std::uint32_t rest = std::uint32_t{key.client.port} << 16 | key.id;
  std::array<char, sizeof key.client.address + sizeof rest> bytes{};
  std::ranges::copy(key.client.address, bytes.begin());
  std::memcpy(bytes.data() + sizeof key.client.address, &rest, sizeof rest);
  return std::hash<std::string_view>{}({bytes.data(), bytes.size()});
}

Exchanges::Key Exchanges::key_of(const Datagram& datagram) {
  return {datagram.client, datagram.transport, datagram.message.head.id};
}

const std::string& Exchanges::question_of(const Datagram& query) {
  const std::array<std::uint64_t, 3> who{query.origin.pid, query.network_namespace,
                                         query.message.type};
  question_.resize(sizeof who + query.message.name.size());
  std::memcpy(question_.data(), who.data(), sizeof who);
  std::ranges::transform(query.message.name, question_.begin() + sizeof who, lower);
  return question_;
}

void Exchanges::Alike::erase(Open open) {
  const auto rest = std::ranges::remove(std::span(all_).first(count_), open);
  count_ -= rest.size();
}

// An answer has been told by now; what it was to is kept for a while, to be known again.
void Exchanges::begin() {
  for (Lookup* lookup : concluded_) lookup->answer.reset();
  concluded_.clear();
  ended_.clear();
}

std::span<Lookup* const> Exchanges::take(Datagram datagram) {
  begin();
  if (datagram.message.is_answer())
    take_answer(std::move(datagram));
  else
    take_query(std::move(datagram));
  return concluded_;
}

// The lookup of the same client, server, id and question; rather one under way, and rather one of
// the same network namespace.
Lookup* Exchanges::Alike::find(const Datagram& datagram) const {
  Lookup* best = nullptr;
  int best_rank = -1;
  for (const Open open : all()) {
    if (open->query.server != datagram.server ||
        !is_same_question(open->query.message, datagram.message))
      continue;
    const int rank = (open->concluded.count() == 0 ? 2 : 0) +
                     (open->query.network_namespace == datagram.network_namespace ? 1 : 0);
    if (rank <= best_rank) continue;
    best = &*open;
    best_rank = rank;
  }
  return best;
}

void Exchanges::take_query(Datagram query) {
  Alike& alike = by_key_[key_of(query)];
  if (Lookup* known = alike.find(query)) {
    const bool is_open = known->concluded.count() == 0;
    const bool is_repeat = query.origin.time < known->latest + kRepeat ||
                           (known->role == Role::client && !query.was_sent);
    if (is_open || is_repeat) {
      if (is_repeat)
        counts_.repeated++;
      else
        again(*known, query);
      return;
    }
  }
  if (alike.all().size() >= kMaxAlike) evict(alike.all().front());
  const auto time = query.origin.time;
  const auto role = query.was_sent ? Role::client : Role::server;
  const auto tried = role == Role::client ? attempt(query) : 1;
  query.read_rest();
  query.message.answers = {};  // a query has none, but a stranger may fill the table with them
  lookups_.push_back({.query = std::move(query), .role = role, .attempt = tried, .latest = time});
  alike.add(std::prev(lookups_.end()));
  // Not before: the oldest may be the last one of this key, and would take `alike` with it.
  if (lookups_.size() > kMaxOpen) evict(lookups_.begin());
}

// The same message once more: it was sent again.
void Exchanges::again(Lookup& lookup, const Datagram& query) {
  lookup.latest = query.origin.time;
  lookup.attempt++;
  if (lookup.role != Role::client) return;
  if (const auto known = questions_.find(question_of(lookup.query)); known != questions_.end())
    known->second = {.attempt = lookup.attempt, .latest = lookup.latest};
}

// A new id or another server, perhaps for a question that was asked before.
std::uint32_t Exchanges::attempt(const Datagram& query) {
  if (query.origin.pid == 0) return 1;
  const auto time = query.origin.time;
  const std::string& question = question_of(query);
  const auto known = questions_.find(question);
  if (known == questions_.end()) {
    if (questions_.size() < kMaxQuestions)
      questions_.emplace(question, Question{.attempt = 1, .latest = time});
    return 1;
  }
  Question& before = known->second;
  if (time >= before.latest + kAttempts)
    before = {};
  else if (time >= before.latest + kAtOnce)
    before.attempt++;
  before.latest = time;
  return before.attempt;
}

void Exchanges::take_answer(Datagram answer) {
  const auto alike = by_key_.find(key_of(answer));
  if (alike == by_key_.end()) {
    counts_.unasked++;
    return;
  }
  Lookup* known = alike->second.find(answer);
  if (!known) return note_stray(answer, alike->second);
  // Of a client here, what arrives counts; of a server here, what it sends.
  const bool is_seen_in_passing = answer.was_sent != (known->role == Role::server);
  if (known->concluded.count() != 0 || is_seen_in_passing) {
    counts_.repeated++;
    return;
  }
  answer.read_rest();
  known->concluded = std::max(answer.origin.time, known->query.origin.time);
  known->outcome = Outcome::answered;
  if (known->role == Role::client) questions_.erase(question_of(known->query));
  known->answer = std::move(answer);
  concluded_.push_back(known);
}

// A network namespace of its own is not enough for an answer to be a stray: where addresses are
// translated, others see it from another address. Where the query was sent, nobody should.
void Exchanges::note_stray(const Datagram& answer, const Alike& alike) {
  if (!answer.was_sent)
    for (const Open open : alike.all()) {
      if (open->concluded.count() != 0 || open->role != Role::client ||
          open->query.network_namespace != answer.network_namespace ||
          !is_same_question(open->query.message, answer.message))
        continue;
      open->stray = answer.server;
      counts_.strays++;
      return;
    }
  counts_.unasked++;
}

void Exchanges::evict(Open open) {
  if (open->concluded.count() != 0) return forget(open);
  counts_.evicted++;
  end(open, open->latest);
}

std::span<Lookup* const> Exchanges::expire(MonotonicTime now) {
  begin();
  for (auto open = lookups_.begin(); open != lookups_.end();) {
    const auto next = std::next(open);
    if (open->concluded.count() != 0) {
      if (open->concluded + kLinger <= now) forget(open);
    } else if (open->latest + timeout_ + kGrace <= now) {
      open->outcome = is_lost(*open) ? Outcome::unknown : Outcome::unanswered;
      end(open, now);
    }
    open = next;
  }
  std::erase_if(questions_,
                [&](const auto& each) { return each.second.latest + kAttempts <= now; });
  return concluded_;
}

void Exchanges::unlink(Open open) {
  const auto alike = by_key_.find(key_of(open->query));
  if (alike == by_key_.end()) return;
  alike->second.erase(open);
  if (alike->second.all().empty()) by_key_.erase(alike);
}

void Exchanges::end(Open open, MonotonicTime concluded) {
  unlink(open);
  open->concluded = concluded;
  concluded_.push_back(&*open);
  ended_.splice(ended_.end(), lookups_, open);
}

void Exchanges::forget(Open open) {
  unlink(open);
  lookups_.erase(open);
}

void Exchanges::lost(MonotonicTime from, MonotonicTime to) {
  const bool is_apart = from > lost_to_ + timeout_ + kGrace;
  lost_from_ = is_apart ? from : std::min(lost_from_, from);
  lost_to_ = std::max(lost_to_, to);
}

bool Exchanges::is_lost(const Lookup& lookup) const {
  return lookup.query.origin.time <= lost_to_ && lookup.latest + timeout_ + kGrace >= lost_from_;
}

}  // namespace tapio::dns
