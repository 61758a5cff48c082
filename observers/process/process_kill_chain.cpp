// SPDX-License-Identifier: Apache-2.0
#include "process_kill_chain.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <csignal>
#include <ranges>

namespace tapio::process {

void KillChain::on(const SignalSent& fact) {
  if (!fact.sender || fact.sender == fact.target) return;
  if (!fact.lethal && fact.signal != SIGTERM) return;
  if (fact.result != SignalResult::delivered && fact.result != SignalResult::lose_info) return;
  auto& shots = targets_.use(fact.target).shots;
  Shot shot{.sender = fact.sender,
            .sender_name = std::string(fact.sender_name),
            .sender_cgroup_id = fact.sender_cgroup_id,
            .signal = fact.signal,
            .time = fact.time,
            .evidence = fact.evidence};
  const auto before = std::ranges::find(shots, fact.sender, &Shot::sender);
  if (before != shots.end()) {
    shot.asked = fact.signal == SIGKILL && (before->signal == SIGTERM || before->asked);
    shot.asked_at = before->asked ? before->asked_at : before->time;
    if (before->signal == SIGKILL) return;  // the first finds it alive
    shots.erase(before);
  }
  if (shots.size() >= kMaxPerTarget) shots.erase(shots.begin());
  shots.push_back(std::move(shot));
}

// The latest that sent what it died by; of several SIGKILLs the first, the others find it dying.
const KillChain::Shot* KillChain::killer(const ProcessExited& fact) {
  const Target* target = targets_.find(fact.process);
  if (!target) return nullptr;
  const Shot* chosen = nullptr;
  for (const Shot& shot : target->shots) {
    if (shot.signal != fact.signal || shot.time > fact.time) continue;
    if (!chosen || fact.signal != SIGKILL) chosen = &shot;
  }
  return chosen;
}

void KillChain::on(const ProcessExited& fact, Output& out) {
  const Shot* by = fact.signal != 0 ? killer(fact) : nullptr;
  if (by) {
    deaths_.push_back({.process = fact.process,
                       .name = std::string(fact.name),
                       .time = fact.time,
                       .evidence = fact.evidence,
                       .by = *by});
    if (deaths_.size() > kMaxDeaths) deaths_.pop_front();
    if (const auto chain = chain_of(deaths_.back()); chain.size() >= kLeast) tell(chain, out);
  }
  targets_.erase(fact.process);
}

KillChain::Chain KillChain::chain_of(const Death& latest) const {
  Chain chain{&latest};
  for (const Death& death : std::views::reverse(deaths_)) {
    const Death& after = *chain.back();
    if (chain.size() >= kMaxLength || death.time + kWithin < after.time) break;
    if (death.by.sender == after.process && death.time <= after.time) chain.push_back(&death);
  }
  return chain;
}

// "worker (pid 7) by SIGKILL, 3.0 s after SIGTERM, from boss (pid 5)"
std::string KillChain::step(const Death& death) {
  std::string text =
      fmt::format("{} by {}", label(death.name, death.process), signal_name(death.by.signal));
  if (death.by.asked)
    text += fmt::format(", {} after SIGTERM,", seconds(death.by.time - death.by.asked_at));
  return text + fmt::format(" from {}", label(death.by.sender_name, death.by.sender));
}

void KillChain::tell(const Chain& chain, Output& out) {
  if (!told_.use(chain.back()->process).tell(chain.front()->time)) return;
  Because because;
  std::string steps;
  for (const Death* death : std::views::reverse(chain)) {
    because.add(death->by.evidence);
    because.add(death->evidence);
    steps += (steps.empty() ? "" : "; then ") + step(*death);
  }
  const Death& first = *chain.back();
  const Death& latest = *chain.front();
  report({.detected = {.time = latest.time,
                       .what = Detection::kill_chain,
                       .severity = Severity::info,
                       .process = first.by.sender,
                       .process_name = first.by.sender_name,
                       .other = latest.by.sender,
                       .other_name = latest.by.sender_name,
                       .cgroup_id = first.by.sender_cgroup_id,
                       .count = chain.size(),
                       .window = latest.time - first.by.time,
                       .detail = signal_name(latest.by.signal)},
          .summary =
              fmt::format("{} deaths, each of whom killed the one before: {}", chain.size(), steps),
          .suggestion = "The last sender named is where it came from."},
         because, out);
}

}  // namespace tapio::process
