// SPDX-License-Identifier: Apache-2.0
#include "cell.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <string>

#include "base/text.hpp"

namespace tapio::matrix {

namespace {

constexpr std::string_view kNotNow = "is not tried now";

std::string as_json(std::string_view text) {
  std::string out;
  append_json_string(out, text);
  return out;
}

}  // namespace

std::string_view name(State state) {
  switch (state) {
    case State::untried:
      return "untried";
    case State::unsupported:
      return "unsupported";
    case State::refused:
      return "refused";
    case State::attached:
      return "attached";
    case State::ran:
      return "ran";
    case State::fired:
      return "fired";
  }
  return "unknown";
}

std::string to_json(const Place& place, const Cell& cell) {
  std::string out = fmt::format(
      R"({{"matrix":1,"release":{},"arch":{},"emulated":{},"channel":{},"observer":{},"hook":{},)",
      as_json(place.release), as_json(place.machine), place.emulated, as_json(place.channel),
      as_json(place.observer), as_json(cell.hook->name));
  out += fmt::format(R"("program":{},"required":{},"state":{},"triggered":{},"loaded":{})",
                     as_json(cell.candidate->program), cell.hook->need == capture::Need::required,
                     as_json(name(cell.state)), cell.triggered, cell.loaded());
  if (cell.verified) out += fmt::format(R"(,"verified":{})", *cell.verified);
  if (cell.runs && cell.run_ns) out += fmt::format(R"(,"ns":{})", cell.run_ns / cell.runs);
  if (!cell.reason.empty()) out += R"(,"reason":)" + as_json(last_words(cell.reason));
  return out + "}";
}

std::string last_words(std::string_view reason) {
  std::string words;
  while (!reason.empty()) {
    const auto end = reason.find('\n');
    const auto line = reason.substr(0, end);
    reason.remove_prefix(end == reason.npos ? reason.size() : end + 1);
    if (line.empty() || line.starts_with("processed ") || line.starts_with("-- ")) continue;
    if (line.starts_with(": "))
      words += line;  // the error behind the log
    else
      words = line;
  }
  return words;
}

std::size_t most_candidates(std::span<const capture::Hook> hooks) {
  std::size_t most = 0;
  for (const auto& hook : hooks) most = std::max(most, hook.candidates.size());
  return most;
}

std::optional<Verdict> why_not(const capture::Candidate& candidate, const capture::Kernel& after) {
  const auto lacking = without(candidate.needs, after.features & candidate.needs);
  if (lacking != capture::Feature::none) {
    std::string reason = "needs " + capture::names(lacking);
    for (const auto& known : capture::feature_names())
      if (const auto why = after.missing.find(std::string(known.name));
          covers(lacking, known.feature) && why != after.missing.end())
        reason += fmt::format(" ({})", why->second);
    return Verdict{State::unsupported, std::move(reason)};
  }
  const auto refused = after.refused.find(candidate.program);
  if (refused == after.refused.end() || refused->second == kNotNow) return std::nullopt;
  return Verdict{State::refused, refused->second};
}

Plan::Plan(std::span<const capture::Hook> hooks, std::size_t rank, const capture::Kernel& kernel)
    : hooks_(hooks), kernel_(kernel) {
  for (const auto& hook : hooks) {
    const auto& candidate = hook.candidates[std::min(rank, hook.candidates.size() - 1)];
    forced_.push_back(why_not(candidate, kernel) ? nullptr : &candidate);
  }
}

capture::Kernel Plan::kernel() const {
  capture::Kernel kernel = kernel_;
  // A program may serve several hooks. One that takes another keeps it from those that are free.
  std::set<std::string> forced, passed_over;
  for (const auto& hook : hooks_) {
    const auto* own = forced_[static_cast<std::size_t>(&hook - hooks_.data())];
    if (!own) continue;
    forced.insert(own->program);
    for (const auto& candidate : hook.candidates) passed_over.insert(candidate.program);
  }
  for (const auto& program : passed_over)
    if (!forced.contains(program)) kernel.refused.emplace(program, kNotNow);
  return kernel;
}

bool Plan::free_refused(const capture::Kernel& after) {
  bool freed = false;
  for (auto& forced : forced_) {
    if (!forced || !why_not(*forced, after)) continue;
    kernel_.refused.emplace(forced->program, after.refused.at(forced->program));
    forced = nullptr;
    freed = true;
  }
  return freed;
}

}  // namespace tapio::matrix
