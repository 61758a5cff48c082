// SPDX-License-Identifier: Apache-2.0
#include "fork_bomb_rule.hpp"

#include <fmt/format.h>

#include "evaluate/names.hpp"
#include "evaluate/words.hpp"

namespace tapio::fork_bomb {

namespace {

// So many of one program, generations deep, and none of them runs another one.
constexpr double kSure = 0.95;

void add_steps(Story& story, const Detected& bomb, const World& world) {
  if (const auto line = lineage(bomb.process, bomb.time, world); !line.empty())
    story.chain.push_back(fmt::format("{} started {}", line, story.entity));
  if (!bomb.executable.empty())
    story.chain.push_back(fmt::format("it runs {}, and so do its descendants", bomb.executable));
  story.chain.push_back(fmt::format("{} forked, its children forked, and so on: {} processes in {}",
                                    story.entity, bomb.count, in_words(bomb.window)));
  if (const Process* eldest = world.process(bomb.process); eldest && eldest->life == Life::exited)
    story.chain.push_back(fmt::format("{} itself has ended, its descendants go on", story.entity));
}

}  // namespace

void ForkBombRule::on_fact(const Fact& fact, const World& world, Tell& tell) {
  const auto* bomb = std::get_if<Detected>(&fact);
  if (!bomb || bomb->what != Detection::fork_bomb || !incidents_.is_news(*bomb)) return;
  Story story = story_of(*bomb);
  story.title = fmt::format("{} multiplied to {} processes in {}: fork bomb", story.entity,
                            bomb->count, in_words(bomb->window));
  story.cause = {
      .kind = "self",
      .entity = story.entity,
      .detail = fmt::format("{} and its descendants fork again and again", story.entity)};
  story.confidence = kSure;
  add_steps(story, *bomb, world);
  tell.push_back(std::move(story));
}

}  // namespace tapio::fork_bomb
