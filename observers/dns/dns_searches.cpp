// SPDX-License-Identifier: Apache-2.0
#include "dns_searches.hpp"

#include <fmt/compile.h>
#include <fmt/format.h>

#include <algorithm>

#include "dns_findings.hpp"

namespace tapio::dns {

namespace {

enum class Verdict : std::uint8_t { exists, missing, neither };

// Whether there is an address under this name.
Verdict verdict(const Lookup& lookup) {
  if (!lookup.answer) return Verdict::neither;
  const Message& answer = lookup.answer->message;
  if (answer.rcode() == kNxDomain) return Verdict::missing;
  if (answer.rcode() != kNoError) return Verdict::neither;
  const auto type = lookup.query.message.type;
  if (std::ranges::find(answer.answers, type, &Answer::type) != answer.answers.end())
    return Verdict::exists;
  // What was cut may have had one.
  const bool is_whole = answer.extent == Extent::whole && !answer.is_truncated() &&
                        answer.answers.size() == answer.head.answers;
  return is_whole ? Verdict::missing : Verdict::neither;
}

std::string_view first_label(std::string_view name) {
  return name.substr(0, name.find('.'));
}

// Addresses turned round, as block lists have them, begin with numbers: they look like a search and
// are none. A name with a backslash has odd bytes; nobody's search list is tried with it.
bool can_be_searched(const Lookup& lookup) {
  const Message& asked = lookup.query.message;
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  return lookup.query.origin.pid != 0 && lookup.role == Role::client &&
         (asked.type == kA || asked.type == kAaaa) && !asked.name.empty() &&
         !asked.name.contains('\\') && !std::ranges::all_of(first_label(asked.name), is_digit);
}

// How many bytes two names have in common, in whole labels from the left.
std::size_t common(std::string_view a, std::string_view b) {
  const auto end = std::ranges::mismatch(a, b);
  auto size = static_cast<std::size_t>(end.in1 - a.begin());
  const auto is_end = [&](std::string_view name) {
    return size == name.size() || name[size] == '.';
  };
  if (is_end(a) && is_end(b)) return size;
  size = a.substr(0, size).rfind('.');
  return size == a.npos ? 0 : size;
}

}  // namespace

std::optional<Searches::Step> Searches::place(const Lookup& lookup) {
  if (!can_be_searched(lookup)) return {};
  std::string name = lower_case(lookup.query.message.name);
  Alike& alike =
      searches_.use(fmt::format(FMT_COMPILE("{} {}"), lookup.query.origin.pid, first_label(name)));
  Search& search = search_of(alike, lookup, std::move(name));
  Step step{.index = search.index};
  search.touched = std::max(search.touched, lookup.concluded);
  switch (verdict(lookup)) {
    case Verdict::exists:
      if (!search.is_found && search.index != 0) step.missed = search.missed();
      search.is_found = true;
      break;
    case Verdict::missing:
      search.is_missing = true;
      break;
    case Verdict::neither:  // a library gives up, or does what we do not know
      std::erase_if(alike, [&](const Search& each) { return &each == &search; });
      break;
  }
  return step;
}

// The one that it belongs to; made when there is none.
Searches::Search& Searches::search_of(Alike& alike, const Lookup& lookup, std::string name) {
  std::erase_if(
      alike, [&](const Search& each) { return each.touched + kStep < lookup.query.origin.time; });
  Search* search = best(alike, lookup, name);
  if (!search) {
    if (alike.size() >= kMaxAlike) alike.erase(alike.begin());
    search = &alike.emplace_back();
  }
  search->advance(lookup, std::move(name));
  return *search;
}

// Rather the same name, asked for the other kind of address; else the one with which it has most
// labels in common.
Searches::Search* Searches::best(Alike& alike, const Lookup& lookup, std::string_view name) {
  const auto same =
      std::ranges::find_if(alike, [&](const Search& each) { return each.is_step(lookup, name); });
  if (same != alike.end()) return &*same;
  Search* best = nullptr;
  std::size_t most = 0;
  for (Search& each : alike) {
    const auto shared = common(each.first(), name);
    if (!each.is_followed_by(lookup, name) || shared < most) continue;
    best = &each;
    most = shared;
  }
  return best;
}

bool Searches::Search::is_step(const Lookup& lookup, std::string_view name) const {
  return latest == name && !(lookup.query.message.type == kA ? asked_a : asked_aaaa);
}

// The next name is asked for when all that was answered of the one before says that there is none.
bool Searches::Search::is_followed_by(const Lookup& lookup, std::string_view name) const {
  return is_missing && !is_found && lookup.query.origin.time >= touched && latest != name &&
         std::ranges::find(before, name) == before.end();
}

void Searches::Search::advance(const Lookup& lookup, std::string name) {
  if (latest != name) {
    if (!latest.empty()) {
      index++;
      if (before.size() < kMaxNames) before.push_back(std::move(latest));
    }
    asked_a = asked_aaaa = is_missing = is_found = false;
    latest = std::move(name);
  }
  (lookup.query.message.type == kA ? asked_a : asked_aaaa) = true;
}

// "svc.cluster.local cluster.local"; "." where nothing stood behind it.
std::string Searches::Search::missed() const {
  std::size_t base = latest.size();
  for (const auto& name : before) base = std::min(base, common(latest, name));
  std::string list;
  for (const auto& name : before) {
    if (!list.empty()) list += ' ';
    list += name.size() == base ? "." : name.substr(base + 1);
  }
  return list;
}

}  // namespace tapio::dns
