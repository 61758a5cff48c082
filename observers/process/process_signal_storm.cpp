// SPDX-License-Identifier: Apache-2.0
#include "process_signal_storm.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "process_noise.hpp"

namespace tapio::process {

namespace {

using namespace std::chrono_literals;

}  // namespace

void SignalStorm::on(const Lost& fact) {
  if (fact.observer == "process" && fact.event_class == TAPIO_NORMAL)
    pressed_ = std::max(pressed_, fact.to);
}

// Where the kernel side refuses signals, what it lets pass is shared with deliveries: half of them
// may be those.
std::uint64_t SignalStorm::enough(MonotonicTime now) const {
  const bool pressed = pressed_.count() != 0 && now < pressed_ + kPressed;
  return pressed ? std::max<std::uint64_t>(per_second_ / 2, 1) : per_second_;
}

void SignalStorm::on(const SignalSent& fact, Output& out) {
  if (!fact.sender || fact.sender == fact.target || is_noise(fact.signal)) return;
  Sender& sender = senders_.use(fact.sender);
  next_second(sender, fact.time);
  count(sender, fact);
  const bool full = sender.in_second >= enough(fact.time);
  if (sender.full_seconds + (full ? 1u : 0u) < seconds_) return;
  if (sender.incident.tell(fact.time)) tell(sender, fact, out);
}

// Seconds are counted from the sender's own first signal, so that a single burst never falls into
// two of them.
void SignalStorm::next_second(Sender& sender, MonotonicTime now) {
  if (sender.count != 0 && now < sender.second + 1s) return;
  const bool goes_on = sender.count != 0 && now < sender.second + 2s;
  if (!goes_on || sender.in_second < enough(now)) return begin(sender, now);
  sender.full_seconds++;
  sender.second += 1s;
  sender.in_second = 0;
}

void SignalStorm::begin(Sender& sender, MonotonicTime now) {
  sender = {.begun = now, .second = now, .incident = sender.incident};
}

void SignalStorm::count(Sender& sender, const SignalSent& fact) {
  sender.count++;
  sender.in_second++;
  sender.because.add(fact.evidence);
  if (fact.signal > 0 && static_cast<std::size_t>(fact.signal) < kSignals)
    sender.by_signal[static_cast<std::size_t>(fact.signal)]++;
  auto target = std::ranges::find(sender.targets, fact.target, &Target::id);
  if (target == sender.targets.end()) {
    if (sender.targets.size() >= kMaxTargets) return;
    target = sender.targets.insert(target, {fact.target, std::string(fact.target_name), 0});
  }
  target->count++;
}

void SignalStorm::tell(Sender& sender, const SignalSent& latest, Output& out) const {
  const auto& most = *std::ranges::max_element(sender.targets, {}, &Target::count);
  const auto signal = static_cast<std::int32_t>(std::ranges::max_element(sender.by_signal) -
                                                sender.by_signal.begin());
  const auto window = latest.time - sender.begun;
  const std::string name = signal_name(signal);
  const std::size_t targets = sender.targets.size();
  const std::string whom =
      targets == 1
          ? label(most.name, most.id)
          : fmt::format("{}{} processes", targets == kMaxTargets ? "at least " : "", targets);
  report({.detected = {.time = latest.time,
                       .what = Detection::signal_storm,
                       .severity = Severity::warning,
                       .process = latest.sender,
                       .process_name = latest.sender_name,
                       .other = targets == 1 ? most.id : ProcessId{},
                       .other_name = targets == 1 ? std::string_view(most.name) : "",
                       .cgroup_id = latest.sender_cgroup_id,
                       .count = sender.count,
                       .window = window,
                       .detail = name},
          .summary = fmt::format("{} sent at least {} signals in {} to {}, most of them {}",
                                 label(latest.sender_name, latest.sender), sender.count,
                                 seconds(window), whom, name),
          .suggestion = "Look for a loop in the sender that never waits."},
         sender.because, out);
}

}  // namespace tapio::process
