// SPDX-License-Identifier: Apache-2.0
#include "evaluate/engine.hpp"

#include <utility>

namespace tapio {

Stories::Stories(std::span<const RuleDescriptor* const> rules, Outlet outlet)
    : outlet_(std::move(outlet)) {
  for (const auto* descriptor : rules) rules_.push_back({descriptor, descriptor->make()});
}

FactSet Stories::needs() const {
  FactSet all = 0;
  for (const auto& running : rules_) all |= running.descriptor->needs;
  return all;
}

void Stories::on_fact(const Fact& fact, const World& world) {
  const FactSet kind = FactSet{1} << fact.index();
  for (const auto& running : rules_)
    if (running.descriptor->needs & kind) running.rule->on_fact(fact, world, fresh_);
  tell_all();
}

void Stories::on_time(MonotonicTime now, const World& world) {
  move_to(now);
  for (const auto& running : rules_) running.rule->on_time(now, world, fresh_);
  tell_all();
}

// Seconds of the facts' time, so that a replay suppresses the same stories.
void Stories::move_to(MonotonicTime now) {
  const auto second = std::chrono::floor<std::chrono::seconds>(now);
  if (second <= second_) return;
  report_suppressed();
  second_ = second;
  told_in_second_ = 0;
}

void Stories::report_suppressed() {
  if (suppressed_in_second_ == 0) return;
  outlet_.suppressed({.from = second_,
                      .to = second_ + std::chrono::seconds(1),
                      .observer = "stories",
                      .event_class = TAPIO_NORMAL,
                      .count = std::exchange(suppressed_in_second_, 0)});
}

void Stories::tell_all() {
  for (auto& story : fresh_) {
    if (told_in_second_ >= kMaxPerSecond) {
      suppressed_in_second_++;
      stats_.suppressed++;
      continue;
    }
    told_in_second_++;
    stats_.told++;
    const auto id = outlet_.told(story);
    kept_.push_back({id, std::move(story)});
    if (kept_.size() <= kMaxStories) continue;
    kept_.pop_front();
    stats_.forgotten++;
  }
  fresh_.clear();
}

std::vector<const ToldStory*> Stories::since(MonotonicTime time) const {
  std::vector<const ToldStory*> found;
  for (const auto& told : kept_)
    if (told.story.time >= time) found.push_back(&told);
  return found;
}

}  // namespace tapio
