// SPDX-License-Identifier: Apache-2.0
#include "evaluate/engine.hpp"

#include <algorithm>
#include <ranges>
#include <utility>

#include "evaluate/background.hpp"

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
  if (const auto* lost = std::get_if<Lost>(&fact);
      lost && (lost->event_class == TAPIO_STATE || lost->event_class == TAPIO_CRITICAL))
    lost_.note(*lost);
  aftermath_.on_fact(fact);
  endings_.on_fact(fact, world, [&](const Ending& ending) { hand_out(ending, world); });
  const FactSet kind = FactSet{1} << fact.index();
  for (const auto& running : rules_) {
    if (!(running.descriptor->needs & kind)) continue;
    running.rule->on_fact(fact, world, fresh_);
    sign(running);
  }
  tell_all(world);
}

void Stories::on_time(MonotonicTime now, const World& world) {
  move_to(now);
  endings_.on_time(now, world, [&](const Ending& ending) { hand_out(ending, world); });
  for (const auto& running : rules_) {
    running.rule->on_time(now, world, fresh_);
    sign(running);
  }
  tell_all(world);
  look_again(now, world);
}

void Stories::hand_out(const Ending& ending, const World& world) {
  aftermath_.on_ending(ending);
  for (const auto& running : rules_) {
    running.rule->on_ending(ending, world, fresh_);
    sign(running);
  }
}

// What the rule has just told has no name yet.
void Stories::sign(const Running& running) {
  for (Story& story : std::views::reverse(fresh_)) {
    if (!story.rule.empty()) break;
    story.rule = running.descriptor->name;
  }
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

void Stories::tell_all(const World& world) {
  for (auto& story : fresh_) {
    if (told_in_second_ < kMaxPerSecond) {
      told_in_second_++;
      stats_.told++;
      tell(std::move(story), world);
    } else {
      suppressed_in_second_++;
      stats_.suppressed++;
    }
  }
  fresh_.clear();
}

void Stories::tell(Story story, const World& world) {
  auto own_impact = story.impact;
  add_changes(story, world);
  add_missing(story, world, lost_);
  story.impact = impact(story, own_impact, world);
  const auto id = outlet_.told(story);
  watch(id, story, std::move(own_impact));
  kept_.push_back({id, std::move(story)});
  if (kept_.size() <= kMaxStories) return;
  kept_.pop_front();
  stats_.forgotten++;
}

std::vector<std::string> Stories::impact(const Story& story, const std::vector<std::string>& own,
                                         const World& world) {
  auto lines = own;
  std::ranges::move(aftermath_.of(story, world), std::back_inserter(lines));
  return lines;
}

void Stories::watch(RecordId id, const Story& story, std::vector<std::string> own_impact) {
  if (!story.process) return;
  watched_.push_back({.id = id,
                      .until = story.time + kWatched,
                      .next_look = second_ + kFirstLook,
                      .own_impact = std::move(own_impact)});
  if (watched_.size() <= kMaxWatched) return;
  watched_.pop_front();
  stats_.unwatched++;
}

void Stories::look_again(MonotonicTime now, const World& world) {
  for (Watch& watch : watched_) {
    const bool last = watch.until <= now;
    if (!last && watch.next_look > now) continue;
    watch.wait *= 2;
    watch.next_look = now + watch.wait;
    amend(watch, last, world);
  }
  std::erase_if(watched_, [now](const Watch& watch) { return watch.until <= now; });
}

// The last revision is kept for the end, so that what comes late is told too.
void Stories::amend(const Watch& watch, bool last, const World& world) {
  ToldStory* told = find(watch.id);
  if (!told || (!last && told->story.revision + 1 >= kMaxRevisions)) return;
  auto lines = impact(told->story, watch.own_impact, world);
  if (lines == told->story.impact) return;
  told->story.impact = std::move(lines);
  told->story.revision++;
  stats_.amended++;
  if (outlet_.amended) outlet_.amended(told->id, told->story);
}

ToldStory* Stories::find(RecordId id) {
  const auto newest_first = std::views::reverse(kept_);
  const auto found = std::ranges::find(newest_first, id, &ToldStory::id);
  return found == newest_first.end() ? nullptr : &*found;
}

std::vector<const ToldStory*> Stories::since(MonotonicTime time) const {
  std::vector<const ToldStory*> found;
  for (const auto& told : kept_)
    if (told.story.time >= time) found.push_back(&told);
  return found;
}

}  // namespace tapio
