// SPDX-License-Identifier: Apache-2.0
#include "signal_storm_rule.hpp"

#include <fmt/format.h>

#include "evaluate/names.hpp"
#include "evaluate/words.hpp"

namespace tapio::signal_storm {

namespace {

constexpr double kSure = 0.95;  // each signal names its sender

}  // namespace

// About the target when it is one, else about the sender.
void SignalStormRule::on_fact(const Fact& fact, const World& world, Tell& tell) {
  const auto* storm = std::get_if<Detected>(&fact);
  if (!storm || storm->what != Detection::signal_storm || !incidents_.is_news(*storm)) return;
  Story story = story_of(*storm);
  const std::string sender = story.entity;
  const auto amount =
      fmt::format("at least {} signals in {}", storm->count, in_words(storm->window));
  std::string whom = "many processes";
  if (storm->other) {
    whom = story.entity = label(storm->other_name, storm->other);
    story.process = storm->other;
    if (const Process* target = world.process(storm->other)) story.cgroup_id = target->cgroup_id;
  }
  story.title = fmt::format("{} sent {} to {}: signal storm", sender, amount, whom);
  story.cause = {
      .kind = "process",
      .entity = sender,
      .detail = fmt::format("{} sends {} to {} without end", sender, storm->detail, whom)};
  story.confidence = kSure;
  if (const auto line = lineage(storm->process, storm->time, world); !line.empty())
    story.chain.push_back(fmt::format("{} started {}", line, sender));
  story.chain.push_back(
      fmt::format("{} sent {} to {}, most of them {}", sender, amount, whom, storm->detail));
  tell.push_back(std::move(story));
}

}  // namespace tapio::signal_storm
